import { deriveKey, type LedgerRecord, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { redisJournal, redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('poisoned');
const client = space.connect();
afterAll(() => space.close());

let prefix: string;
let runs = 0;
beforeEach(() => (prefix = `${space.prefix}:${(runs += 1)}`));

const keys = Array.from({ length: 64 }, (_, index) => deriveKey(['poisoned', index]));
const [victim = ''] = keys;
const shard = victim[0]!;
const [inShard, others] = [
  keys.filter((key) => key[0] === shard),
  keys.filter((key) => key[0] !== shard),
];
const places = {
  index: () => `${prefix}:{${shard}}:open`,
  record: () => `${prefix}:{${shard}}${victim.slice(1)}`,
};

const attempt = (key: string) => ({
  key,
  token: createToken(),
  leaseMs: 60_000,
  retentionMs: 600_000,
});

async function collect(records: AsyncIterable<LedgerRecord>): Promise<[string[], unknown]> {
  const found: string[] = [];
  try {
    for await (const { key } of records) found.push(key);
    return [found, undefined];
  } catch (error) {
    return [found, error];
  }
}

describe('an index that another program wrote', () => {
  test.each(['before-processor', 'at-send'] as const)(
    '%s: the emails of other shards are sent, its own are not, and are sent once it is gone',
    async (dispatch) => {
      const ledger = redisLedger(client, { prefix });
      await client.set(places.index(), 'x');
      let ran = 0;
      const send = (key: string) =>
        perform(
          async (claim) => {
            if (dispatch === 'at-send') await claim.dispatch();
            ran += 1;
          },
          { ledger, key, dispatch, leaseMs: 3_000 },
        );
      const ended = await Promise.allSettled(keys.map(send));
      expect(ran).toBe(others.length);
      for (const [index, key] of keys.entries()) {
        const result = ended[index];
        if (key[0] !== shard) {
          expect(result).toMatchObject({ value: { state: 'sent' } });
          continue;
        }
        expect(result).toMatchObject({
          reason: { code: 'SENDONCE_LEDGER_UNAVAILABLE', mayHaveLeft: 'no' },
        });
        expect(String((result as PromiseRejectedResult).reason)).toMatch(
          /refused a command \(WRONGTYPE .*A key under the prefix .* written by something else/s,
        );
      }

      await client.del(places.index());
      const again = await Promise.all(inShard.map(send));
      expect(again).toEqual(inShard.map(() => expect.objectContaining({ state: 'sent' })));
      expect(ran).toBe(keys.length);
    },
  );

  test('an outcome, a release and a verdict are recorded all the same', async () => {
    const ledger = redisLedger(client, { prefix });
    const [sent, released, doubtful] = [
      attempt(victim),
      attempt(inShard[1] ?? `${shard}${'A'.repeat(21)}`),
      attempt(`${shard}${'B'.repeat(21)}`),
    ];
    for (const email of [sent, released, doubtful])
      await ledger.claim({ ...email, dispatched: true });
    await client.set(places.index(), 'x');
    expect(await ledger.settle({ ...sent, outcome: 'sent' })).toEqual({ state: 'settled' });
    // A doubt that is in no index would never be listed. Its sender repeats it until it is.
    const doubt = { ...doubtful, outcome: 'in-doubt' } as const;
    await expect(ledger.settle(doubt)).rejects.toThrow(/WRONGTYPE/);
    await client.del(places.index());
    await ledger.settle(doubt);
    expect((await collect(ledger.list({ state: 'in-doubt' })))[0]).toEqual([doubtful.key]);
    expect((await ledger.read(sent.key))?.state).toBe('sent');
    expect((await ledger.read(doubtful.key))?.state).toBe('in-doubt');
  });

  test('an email in doubt at that moment is listed once the index is gone', async () => {
    const ledger = redisLedger(client, { prefix });
    const lost = Object.assign(new Error('lost after DATA'), { code: 'ECONNRESET' });
    const send = async () => {
      await client.set(places.index(), 'x');
      throw lost;
    };
    const performed = perform(send, { ledger, key: victim, leaseMs: 1_000 });
    await expect(performed).rejects.toMatchObject({ code: 'SENDONCE_NOT_RECORDED' });
    await client.del(places.index());
    await eventually(async () =>
      expect((await collect(ledger.list({ state: 'in-doubt' })))[0]).toEqual([victim]),
    );
  });

  test('the leases of other shards are renewed', async () => {
    const ledger = redisLedger(client, { prefix });
    const [own, other] = [attempt(victim), attempt(others[0] ?? '')];
    for (const email of [own, other]) await ledger.claim({ ...email, dispatched: true });
    await client.set(places.index(), 'x');
    expect(await ledger.heartbeat([own, other])).toEqual(['unknown', 'kept']);
  });

  test('the doubts of other shards are listed, and then an error says that some may be missing', async () => {
    const ledger = redisLedger(client, { prefix });
    for (const key of others.slice(0, 3)) {
      const email = attempt(key);
      await ledger.claim({ ...email, dispatched: true });
      await ledger.settle({ ...email, outcome: 'in-doubt' });
    }
    await client.set(places.index(), 'x');
    const [found, error] = await collect(ledger.list({ state: 'in-doubt' }));
    expect(found.toSorted()).toEqual(others.slice(0, 3).toSorted());
    expect(error).toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD', key: places.index() });
  });

  test('members that are no keys are passed over', async () => {
    const ledger = redisLedger(client, { prefix });
    await client.zadd(places.index(), '1', 'x', '+inf', 'y'.repeat(5000));
    expect(await collect(ledger.list({ state: 'open' }))).toEqual([[], undefined]);
  });
});

test.each([
  ['a list', () => client.rpush(places.record(), 'x')],
  ['another text', () => client.set(places.record(), 'hello')],
  ['5 MB of digits', () => client.set(places.record(), `1S${'a'.repeat(16)}${'1'.repeat(5e6)}`)],
  [
    'a time of 20 digits',
    () => client.set(places.record(), `1S${'a'.repeat(16)}${'9'.repeat(20)}`),
  ],
])('a record that is %s fails its own claim only, and is left as it is', async (_name, poison) => {
  await poison();
  const ledger = redisLedger(client, { prefix });
  const replies = await Promise.allSettled(
    keys.map((key) => ledger.claim({ ...attempt(key), dispatched: true })),
  );
  const failed = replies.filter(({ status }) => status === 'rejected');
  expect(failed).toEqual([
    expect.objectContaining({
      reason: expect.objectContaining({ code: 'SENDONCE_UNREADABLE_RECORD' }),
    }),
  ]);
  expect(await client.exists(places.record())).toBe(1);
});

describe('the journal', () => {
  const hour = () => Math.floor(Date.now() / 3_600_000);
  const countsKey = () => `${prefix}:{counts}:${hour()}`;
  const line = () => `${prefix}:{${shard}}${victim.slice(1)}:journal`;
  const entry = { key: victim, type: 'sent', atMs: Date.now(), label: 'order 7' } as const;

  test('counts that are no numbers are left out', async () => {
    const journal = redisJournal(client, { prefix });
    await client.hset(countsKey(), {
      sent: 'abc',
      claimed: '1e999',
      busy: '-1',
      '': '1',
      duplicate: '2',
    });
    expect(await journal.counts(Date.now())).toEqual([
      { hourMs: hour() * 3_600_000, counts: { duplicate: 2 } },
    ]);
  });

  test.each([
    ['an object as the label', [1, 1e12, '', '', '', '', '', {}, '', '', 'sent', 0]],
    ['a number as the label', [1, 1e12, '', '', '', '', '', 7, '', '', 'sent', 0]],
    ['a time of 20 digits', [1, 1e20, '', '', '', '', '', '', '', '', 'sent', 0]],
    ['a time that no Date has', [1, 9e15, '', '', '', '', '', '', '', '', 'sent', 0]],
    ['a step that is an object', [1, 1e12, '', '', '', '', '', '', '', '', {}, 0]],
    ['a step without its time', [1, 1e12, '', '', '', '', '', '', '', '', 'sent']],
    ['a detail that is a list', [1, 1e12, '', '', '', '', '', '', '', [], 'sent', 0]],
    ['null', null],
  ])('a line with %s is left out, and the others are shown', async (_name, poison) => {
    const journal = redisJournal(client, { prefix });
    await client.rpush(line(), JSON.stringify(poison));
    journal.write(entry);
    await journal.flush();
    expect(await journal.history(victim)).toEqual([expect.objectContaining(entry)]);
  });

  test('keys that hold something else lose their own entries only', async () => {
    const journal = redisJournal(client, { prefix });
    await client.set(line(), 'x');
    await client.hset(countsKey(), 'sent', 'abc');
    const [other = ''] = others;
    journal.write(entry);
    journal.write({ ...entry, key: other, type: 'claimed' });
    await journal.flush();
    expect(await journal.history(victim)).toEqual([]);
    expect(await journal.history(other)).toHaveLength(1);
    expect(await journal.find('order 7')).toEqual(expect.arrayContaining([other]));
    expect((await journal.counts(Date.now())).at(-1)?.counts).toEqual({ claimed: 1 });
    await client.set(`${prefix}:{counts}:${hour() - 1}`, 'x');
    expect(await journal.counts(Date.now() - 3_600_000)).toHaveLength(1);
  });
});
