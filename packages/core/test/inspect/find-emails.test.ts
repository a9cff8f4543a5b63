import { expect, test } from 'vitest';
import { deriveKey, type JournalEntry, memoryLedger } from '../../src/index.ts';
import { findEmails, findWorker, lastLabel } from '../../src/inspect/index.ts';
import { createToken } from '../../src/store/index.ts';

const key = deriveKey(['notice', 7]);

/** A ledger with one email in doubt, and another one in doubt beside it. */
async function startDoubts() {
  const ledger = memoryLedger();
  const about = { leaseMs: 1000, retentionMs: 60_000 };
  const emails = [
    { ...about, key, token: createToken(), job: { queue: 'notices', id: '17' }, by: 'web' },
    { ...about, key: deriveKey(['notice', 8]), token: createToken(), by: 'cron' },
  ];
  for (const [index, attempt] of emails.entries()) {
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt', messageId: `<${index}@shop>` });
  }
  return { ledger };
}

test.each([
  ['its job', 'notices:17'],
  ['its sender', 'web'],
  ['its Message-ID', '<0@shop>'],
  ['its Message-ID without brackets', '0@shop'],
  ['its key', key],
  ['the parts of its key', 'notice 7'],
])('without a journal an email in doubt is found by %s', async (_, text) => {
  const found = await findEmails(await startDoubts(), [text]);
  expect(found.map((email) => email.key)).toEqual([key]);
});

test('an email that nothing knows is not found', async () => {
  expect(await findEmails(await startDoubts(), ['notices:18'])).toEqual([]);
  expect(await findEmails(await startDoubts(), [' '])).toEqual([]);
});

test('the worker of a record is that of the same attempt, the label the newest one', () => {
  const entry = { key, type: 'claimed', atMs: 1 } as const;
  const history: JournalEntry[] = [
    { ...entry, token: 'abcdef', worker: 'mail-1:7', label: 'order 7' },
    { ...entry, token: 'abcdef', label: 'order seven' },
    { ...entry, token: 'uvwxyz', worker: 'mail-2:8' },
    { ...entry, worker: 'support-1:9' },
  ];
  expect(findWorker({ token: 'abcdefghijklmnop' }, history)).toBe('mail-1:7');
  expect(findWorker({ token: 'other' }, history)).toBeUndefined();
  expect(lastLabel(history)).toBe('order seven');
  expect(lastLabel([])).toBeUndefined();
});
