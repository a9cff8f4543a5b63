import { deriveKey, type LedgerRecord } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let server: Awaited<ReturnType<typeof startRedis>>;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

let space = 0;
function open(options: { prefix?: string; compact?: boolean } = {}) {
  const { prefix = `compact-${++space}`, compact = true } = options;
  return { prefix, ledger: redisLedger(client, { prefix, compact }) };
}

const attemptOf = (key = deriveKey(createToken()), retentionMs = 7 * DAY_MS) => ({
  key,
  token: createToken(),
  leaseMs: 30_000,
  retentionMs,
  by: 'notices:1',
});

type Opened = ReturnType<typeof open>;

async function send({ ledger }: Opened, attempt = attemptOf()) {
  expect(await ledger.claim({ ...attempt, dispatched: true })).toEqual({ state: 'won' });
  expect(await ledger.settle({ ...attempt, outcome: 'sent' })).toEqual({ state: 'settled' });
  return attempt;
}

/** Keys all in the shard "A", so that their buckets fill. */
const keysOfOneShard = (count: number) =>
  Array.from({ length: count }, (_, index) => `A${deriveKey(['shard', index]).slice(1)}`);

async function keysOf(prefix: string): Promise<string[]> {
  return (await client.keys(`${prefix}:*`)).toSorted();
}

describe('sent emails in buckets', () => {
  test('leave no key of their own, and are told with all that a string would tell', async () => {
    const opened = open();
    const attempt = await send(opened);
    const shard = `${opened.prefix}:{${attempt.key[0]}}:sent`;
    expect(await keysOf(opened.prefix)).toEqual([shard, `${shard}:0`]);
    const record = await opened.ledger.read(attempt.key);
    expect(record).toMatchObject({
      key: attempt.key,
      token: attempt.token,
      state: 'sent',
      by: 'notices:1',
    });
    expect(Math.abs(record!.atMs - Date.now())).toBeLessThan(2_000);
    const reply = await opened.ledger.claim(attemptOf(attempt.key));
    expect(reply).toEqual({ state: 'duplicate', record });
  });

  test('thousands of one shard: the buckets grow, each stays one block, and all are found', async () => {
    const opened = open();
    const keys = keysOfOneShard(5_000);
    const attempts = keys.map((key) => attemptOf(key));
    await Promise.all(attempts.map((attempt) => send(opened, attempt)));
    const buckets = (await keysOf(opened.prefix)).filter((key) => /:sent:\d+$/.test(key));
    expect(Number(await client.get(`${opened.prefix}:{A}:sent`))).toBe(buckets.length);
    expect(buckets.length).toBeGreaterThan(50);
    const sizes = await Promise.all(buckets.map((bucket) => client.hlen(bucket)));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
    expect(keys.length / buckets.length).toBeGreaterThan(40);
    const encodings = await Promise.all(buckets.map((bucket) => client.object('ENCODING', bucket)));
    expect(new Set(encodings)).toEqual(new Set(['listpack']));
    const ttls = await Promise.all(buckets.map((bucket) => client.pttl(bucket)));
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(7 * DAY_MS - 60_000);

    const records = await Promise.all(keys.map((key) => opened.ledger.read(key)));
    expect(records.map((record) => record?.token)).toEqual(attempts.map(({ token }) => token));
    const replies = await Promise.all(keys.map((key) => opened.ledger.claim(attemptOf(key))));
    expect(new Set(replies.map(({ state }) => state))).toEqual(new Set(['duplicate']));
    expect(await keysOf(opened.prefix)).toHaveLength(buckets.length + 1);
  });

  test('one that is over is claimed again, and makes room when its bucket is full', async () => {
    const opened = open();
    const [first = '', ...keys] = keysOfOneShard(300);
    await send(opened, attemptOf(first, 60_000));
    const bucket = `${opened.prefix}:{A}:sent:0`;
    // As if it had been settled an hour ago.
    const [field = ''] = await client.hkeys(bucket);
    const value = (await client.hgetBuffer(bucket, field))!;
    value.writeUIntBE(Date.now() - 60 * 60_000, 0, 6);
    await client.hset(bucket, field, value);
    expect(await opened.ledger.read(first)).toBeUndefined();

    for (const key of keys) await send(opened, attemptOf(key));
    const count = Number(await client.get(`${opened.prefix}:{A}:sent`));
    const sizes = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        client.hlen(`${opened.prefix}:{A}:sent:${index}`),
      ),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
    await send(opened, attemptOf(first, 60_000));
  });

  test('is kept for no less than the retention, and for no more than a second longer', async () => {
    const opened = open();
    const attempt = await send(opened, attemptOf(undefined, 60_500));
    const bucket = `${opened.prefix}:{${attempt.key[0]}}:sent:0`;
    const [value] = await client.hvalsBuffer(bucket);
    const seconds = value!.readUInt32BE(6);
    expect(seconds).toBe(61);
    expect(await client.pttl(bucket)).toBeGreaterThanOrEqual(60_500);
  });

  test('have room for the job of a scheduled email and its Message-ID, which are made of the key', async () => {
    const opened = open();
    const attempt = attemptOf();
    attempt.by = `notices:email-${attempt.key}`;
    const hex = Buffer.from(attempt.key, 'base64url').toString('hex');
    const messageId = `<${hex}@example.com>`;
    await opened.ledger.claim({ ...attempt, dispatched: true });
    await opened.ledger.settle({ ...attempt, outcome: 'sent', messageId });
    expect(await client.exists(`${opened.prefix}:{${attempt.key[0]}}:sent:0`)).toBe(1);
    const record = { state: 'sent', by: attempt.by, messageId };
    expect(await opened.ledger.read(attempt.key)).toMatchObject(record);
  });

  test.each([
    ['a retention below a minute', { retentionMs: 59_000 }],
    ['a long result', { result: JSON.stringify('x'.repeat(100)) }],
  ])('%s: a string as ever', async (_name, change) => {
    const { ledger, prefix } = open();
    const attempt = { ...attemptOf(), ...change };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'sent' });
    expect(await keysOf(prefix)).toEqual([`${prefix}:{${attempt.key[0]}}${attempt.key.slice(1)}`]);
    expect((await ledger.read(attempt.key))?.state).toBe('sent');
  });

  test('a ledger with the option and one without see the same emails, whoever settles last', async () => {
    const compact = open();
    const plain = open({ prefix: compact.prefix, compact: false });
    for (const [one, other] of [
      [compact, plain],
      [plain, compact],
    ] as const) {
      const attempt = await send(one);
      const seen = await other.ledger.claim(attemptOf(attempt.key));
      expect(seen).toMatchObject({ state: 'duplicate', record: { token: attempt.token } });
      // A repeat by the other one moves the record, and leaves nothing behind.
      expect((await other.ledger.settle({ ...attempt, outcome: 'sent' })).state).toBe('settled');
      const shown = await one.ledger.read(attempt.key);
      expect(shown).toMatchObject({
        state: 'sent',
        token: attempt.token,
      } satisfies Partial<LedgerRecord>);
      const plainKey = `${compact.prefix}:{${attempt.key[0]}}${attempt.key.slice(1)}`;
      const inBucket = (await client.keys(`${compact.prefix}:*:sent:0`)).map((bucket) =>
        client.hexists(bucket, attempt.key.slice(1)),
      );
      const places = (await Promise.all(inBucket)).filter(Boolean).length;
      expect(places + (await client.exists(plainKey))).toBe(1);
    }
  });

  test('what was sent and then turned out to be rejected can be tried again', async () => {
    const opened = open();
    const attempt = await send(opened);
    const { ledger } = opened;
    expect((await ledger.settle({ ...attempt, outcome: 'rejected', note: '552' })).state).toBe(
      'settled',
    );
    expect(await ledger.resolve({ ...attempt, verdict: 'not-sent', by: 'support' })).toEqual({
      state: 'resolved',
    });
    await send(opened, attemptOf(attempt.key));
  });
});
