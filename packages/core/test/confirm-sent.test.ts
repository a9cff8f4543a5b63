import { expect, test } from 'vitest';
import { type Attempt, confirmSent, deriveKey, memoryLedger, messageIdOf } from '../src/index.ts';
import { findEmails } from '../src/inspect/index.ts';
import { createToken } from '../src/store/index.ts';

const by = 'webhook of a provider';

async function doubtful(messageId = '<7@shop.example>', ledger = memoryLedger()) {
  const times = { leaseMs: 1_000, retentionMs: 9_000 };
  const attempt: Attempt = { key: deriveKey(createToken()), token: createToken(), ...times };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', messageId });
  return { ledger, attempt, state: async () => (await ledger.read(attempt.key))?.state };
}

test.each(['<7@shop.example>', '7@shop.example'])(
  'an email in doubt is sent when the provider reports its Message-ID as %s',
  async (messageId) => {
    const { ledger, attempt, state } = await doubtful();
    const other = await doubtful('<8@shop.example>', ledger);
    expect(await confirmSent({ ledger }, { messageId, by })).toEqual({ state: 'resolved' });
    expect(await state()).toBe('sent');
    expect(await other.state()).toBe('in-doubt');
    expect((await ledger.read(attempt.key))?.resolvedBy).toContain(by);
    // The same event again, and late.
    expect(await confirmSent({ ledger }, { messageId, by })).toMatchObject({
      state: 'not-in-doubt',
    });
  },
);

test('by its key', async () => {
  const { ledger, attempt, state } = await doubtful();
  expect(await confirmSent({ ledger }, { key: attempt.key, by })).toEqual({ state: 'resolved' });
  expect(await state()).toBe('sent');
});

test('other emails and other states are left alone', async () => {
  const { ledger, attempt, state } = await doubtful();
  expect(await confirmSent({ ledger }, { messageId: '<9@shop.example>', by })).toMatchObject({
    state: 'not-in-doubt',
  });
  expect(await confirmSent({ ledger }, { key: deriveKey(createToken()), by })).toMatchObject({
    state: 'not-in-doubt',
  });
  expect(await state()).toBe('in-doubt');
  await ledger.settle({ ...attempt, outcome: 'rejected' });
  expect(await confirmSent({ ledger }, { key: attempt.key, by })).toMatchObject({
    state: 'not-in-doubt',
  });
  expect(await state()).toBe('rejected');
});

test.each([
  [{}, 'messageId'],
  [{ messageId: '' }, 'messageId'],
  [{ key: '' }, 'key'],
  [{ key: 'k', retentionMs: 0 }, 'retentionMs'],
])('%j is refused', async (wrong, option) => {
  const { ledger } = await doubtful();
  await expect(confirmSent({ ledger }, { by, ...wrong } as never)).rejects.toMatchObject({
    option,
  });
});

test('an email whose sender died before it could record a Message-ID is found by the key in it', async () => {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const attempt = { key, token: createToken(), leaseMs: 1_000, retentionMs: 60_000 };
  await ledger.settle({ ...attempt, outcome: 'in-doubt' });
  const messageId = messageIdOf(key, 'shop.example');
  expect(await confirmSent({ ledger }, { messageId, by: 'webhook' })).toEqual({
    state: 'resolved',
  });
  expect((await ledger.read(key))?.state).toBe('sent');
  expect(await findEmails({ ledger }, [messageId])).toMatchObject([{ key }]);
});
