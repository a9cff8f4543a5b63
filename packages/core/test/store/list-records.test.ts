import { expect, test } from 'vitest';
import {
  deriveKey,
  type Ledger,
  type LedgerRecord,
  LedgerUnavailableError,
  memoryLedger,
  UnreadableRecordError,
} from '../../src/index.ts';
import { createToken, listRecords, MAX_BATCH } from '../../src/store/index.ts';

/** A ledger with emails that were dispatched, and their keys, as the index of a store has them. */
async function ledgerWith(count: number) {
  const ledger = memoryLedger();
  const keys = Array.from({ length: count }, () => deriveKey(createToken()));
  for (const key of keys) {
    const attempt = { key, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 };
    await ledger.claim({ ...attempt, dispatched: true });
  }
  return { ledger, keys };
}

/** What is listed before it ends, and the error with which it ends. */
async function drain(records: AsyncIterable<LedgerRecord>) {
  const keys: string[] = [];
  try {
    for await (const { key } of records) keys.push(key);
  } catch (error) {
    return { keys, error };
  }
  return { keys };
}

test('every record of the index is listed once and in its order, with any number of pages', async () => {
  for (const count of [0, 1, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH + 1]) {
    const { ledger, keys } = await ledgerWith(count);
    expect(await drain(listRecords(keys, ledger, 'open'))).toStrictEqual({ keys });
  }
});

test('no more records are read at once than a server answers in one command', async () => {
  const { ledger, keys } = await ledgerWith(2 * MAX_BATCH);
  let [current, highest] = [0, 0];
  const counting: Pick<Ledger, 'read'> = {
    async read(key) {
      highest = Math.max(highest, ++current);
      const record = await ledger.read(key);
      current -= 1;
      return record;
    },
  };
  await drain(listRecords(keys, counting, 'open'));
  expect(highest).toBe(MAX_BATCH);
});

test('a record that has gone, or has got its outcome since the index was read, is not listed', async () => {
  const { ledger, keys } = await ledgerWith(3);
  const [sent = '', doubtful = '', open = ''] = keys;
  const { token } = (await ledger.read(sent)) as LedgerRecord;
  const { token: doubtfulToken } = (await ledger.read(doubtful)) as LedgerRecord;
  const times = { leaseMs: 60_000, retentionMs: 60_000 };
  await ledger.settle({ key: sent, token, ...times, outcome: 'sent' });
  await ledger.settle({ key: doubtful, token: doubtfulToken, ...times, outcome: 'in-doubt' });
  const index = [deriveKey('gone'), ...keys];
  expect(await drain(listRecords(index, ledger, 'open'))).toEqual({ keys: [doubtful, open] });
  expect(await drain(listRecords(index, ledger, 'in-doubt'))).toEqual({ keys: [doubtful] });
});

/** A ledger that fails for the records whose keys are given. */
const failingFor = (ledger: Ledger, errors: ReadonlyMap<string, Error>): Pick<Ledger, 'read'> => ({
  read: async (key) => {
    const error = errors.get(key);
    if (error) throw error;
    return ledger.read(key);
  },
});

test('a record that cannot be read hides no other one: its error comes after all of them', async () => {
  const { ledger, keys } = await ledgerWith(MAX_BATCH + 2);
  const [first = '', second = ''] = keys;
  const error = new UnreadableRecordError(first, 'memory');
  const errors = new Map([
    [first, error],
    [second, new UnreadableRecordError(second, 'memory')],
  ]);
  const listed = await drain(listRecords(keys, failingFor(ledger, errors), 'open'));
  expect(listed).toEqual({ keys: keys.slice(2), error });
  expect(listed.error).toBe(error);
});

test('a ledger that cannot answer ends the list at once', async () => {
  const { ledger, keys } = await ledgerWith(3);
  const [, second = ''] = keys;
  const error = new LedgerUnavailableError('The server is away.');
  const listed = await drain(
    listRecords(keys, failingFor(ledger, new Map([[second, error]])), 'open'),
  );
  expect(listed).toEqual({ keys: keys.slice(0, 1), error });
});
