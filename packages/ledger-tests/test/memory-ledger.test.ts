import { describeLedger } from '../src/index.ts';
import { expect, test } from 'vitest';
import { deriveKey, LedgerUnavailableError, memoryLedger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';

let nowMs = Date.now();
const ledger = memoryLedger({ now: () => nowMs });

describeLedger('the memory ledger', () => ({
  ledger,
  other: ledger,
  advance: async (ms) => {
    nowMs += ms;
  },
  lostReply: async (verb) => {
    await verb(ledger);
    throw new LedgerUnavailableError('The reply was lost.');
  },
}));

test('lease, doubt and retention end on the millisecond', async () => {
  const attempt = {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 100,
    retentionMs: 500,
  };
  await ledger.claim(attempt);
  nowMs += 99;
  expect((await ledger.read(attempt.key))?.state).toBe('claimed');
  nowMs += 1;
  expect(await ledger.read(attempt.key)).toBeUndefined();

  await ledger.claim({ ...attempt, dispatched: true });
  nowMs += 199;
  expect((await ledger.read(attempt.key))?.state).toBe('dispatched');
  nowMs += 1;
  expect((await ledger.read(attempt.key))?.state).toBe('in-doubt');

  await ledger.settle({ ...attempt, outcome: 'sent' });
  nowMs += 499;
  expect((await ledger.read(attempt.key))?.state).toBe('sent');
  nowMs += 1;
  expect(await ledger.read(attempt.key)).toBeUndefined();
});

test('two memory ledgers know nothing of each other', async () => {
  const attempt = {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 100,
    retentionMs: 500,
  };
  expect(await memoryLedger().claim(attempt)).toEqual({ state: 'won' });
  expect(await memoryLedger().read(attempt.key)).toBeUndefined();
});
