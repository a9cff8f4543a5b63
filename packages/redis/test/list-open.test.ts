import { type Ledger, type LedgerRecord } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startTcpProxy, watchCommands } from '@sendonce/testkit';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('list-open');
const client = space.connect();
afterAll(() => space.close());

let prefix: string;
let runs = 0;
beforeEach(() => (prefix = `${space.prefix}:${(runs += 1)}`));

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** A key of the shard, or of any. */
const keyOf = (index: number, shard = letters[index % 64]!) =>
  shard + String(index).padStart(21, '0');

/** Doubts as the scripts store them, with these scores. */
async function addDoubts(keys: readonly string[], scoreOf: (index: number) => number) {
  const atMs = String(Date.now() - 60_000).padStart(13, '0');
  const pipeline = client.pipeline();
  for (const [index, key] of keys.entries()) {
    pipeline.set(`${prefix}:{${key[0]}}${key.slice(1)}`, `1D${createToken()}${atMs}`);
    pipeline.zadd(`${prefix}:{${key[0]}}:open`, scoreOf(index), key.slice(1));
  }
  await pipeline.exec();
}

async function keysOf(records: AsyncIterable<LedgerRecord>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of records) keys.push(key);
  return keys;
}

interface Call {
  /** So many entries of indexes it may have read. */
  entries: number;
  records: number;
}

/** What each script call of the ledger read while `work` ran. */
async function watchCalls(work: () => Promise<void>): Promise<Call[]> {
  const calls: Call[] = [];
  const watch = await watchCommands(client, ({ source, command }) => {
    // Other test files use the same server.
    if (!command.some((word) => word.startsWith(`${prefix}:`))) return;
    const [name = '', , from, to] = command;
    if (source !== 'lua') calls.push({ entries: 0, records: 0 });
    const call = calls.at(-1);
    if (call && /^zrange/i.test(name)) {
      call.entries += Number(to) < 0 ? Infinity : Number(to) - Number(from) + 1;
    }
    if (call && /^get$/i.test(name)) call.records += 1;
  });
  await work();
  await watch.caughtUp();
  watch.stop();
  return calls;
}

describe.each([
  ['of all shards', undefined],
  ['of one shard', 'q'],
])('5,000 doubts %s', (_, shard) => {
  const keys = Array.from({ length: 5000 }, (_key, index) => keyOf(index, shard));
  const ledger = () => redisLedger(client, { prefix });
  // In another order than that of their members.
  const scoreOf = (index: number) => 1e12 + ((index * 7919) % 5000);
  const inOrder = keys.toSorted(
    (one, other) => scoreOf(keys.indexOf(one)) - scoreOf(keys.indexOf(other)),
  );

  test('no command reads more than a page', async () => {
    await addDoubts(keys, scoreOf);
    for (const state of ['open', 'in-doubt'] as const) {
      let listed: string[] = [];
      const calls = await watchCalls(
        async () => void (listed = await keysOf(ledger().list({ state }))),
      );
      expect(listed).toEqual(inOrder);
      // A page, and the place of each shard where it begins.
      expect(Math.max(...calls.map(({ entries }) => entries))).toBeLessThanOrEqual(512 + 64);
      expect(Math.max(...calls.map(({ records }) => records))).toBeLessThanOrEqual(250);
    }
  });

  test('a reader of the first ones reads little more than them', async () => {
    await addDoubts(keys, scoreOf);
    const first: string[] = [];
    const calls = await watchCalls(async () => {
      for await (const { key } of ledger().list({ state: 'in-doubt' })) {
        if (first.push(key) === 25) break;
      }
    });
    expect(first).toEqual(inOrder.slice(0, 25));
    const sum = (name: keyof Call) => calls.reduce((total, call) => total + call[name], 0);
    // A page of all indexes, and one of the shard that has them all.
    expect(sum('entries')).toBeLessThanOrEqual(512 + 64 + 64);
    expect(sum('records')).toBeLessThanOrEqual(250);
  });
});

test('1,000 doubts of one moment, of which those that were just read end: none is missing', async () => {
  const keys = Array.from({ length: 1000 }, (_, index) => keyOf(index, 'q'));
  await addDoubts(keys, () => 1e12);
  const ledger = redisLedger(client, { prefix });
  const listed: string[] = [];
  for await (const { key, token } of ledger.list({ state: 'in-doubt' })) {
    listed.push(key);
    await ledger.resolve({ key, token, verdict: 'not-sent', by: 'test', retentionMs: 1000 });
  }
  expect(listed.toSorted()).toEqual(keys);
});

test('an entry that moves while it waits for those of another shard is listed once', async () => {
  const first = Array.from({ length: 600 }, (_, index) => keyOf(index, 'b'));
  const last = Array.from({ length: 60 }, (_, index) => keyOf(index, 'a'));
  await addDoubts([...first, ...last], (index) => 1000 + index);
  const moved = last[0]!;
  const listed: string[] = [];
  for await (const { key } of redisLedger(client, { prefix }).list({ state: 'in-doubt' })) {
    if (listed.push(key) === 1) await client.zadd(`${prefix}:{a}:open`, 5000, moved.slice(1));
  }
  expect(listed.filter((key) => key === moved)).toHaveLength(1);
  expect(listed.toSorted()).toEqual([...first, ...last].toSorted());
});

test('members that are no keys, of any score and length, hide nothing and end the list', async () => {
  const keys = Array.from({ length: 300 }, (_, index) => keyOf(index, 'q'));
  await addDoubts(keys, () => 1e12);
  const strange = ['', 'x', 'é'.repeat(100), keyOf(7, 'q'), `${keyOf(7, 'q').slice(1)}0`];
  const index = `${prefix}:{q}:open`;
  for (const member of strange) await client.zadd(index, 1e12, member);
  await client.zadd(index, '-inf', 'lowest');
  await client.zadd(index, '+inf', 'highest');
  await client.zadd(index, 0.5, 'fraction');
  for (const state of ['open', 'in-doubt'] as const) {
    const listed = await keysOf(redisLedger(client, { prefix }).list({ state }));
    expect(listed).toEqual(keys);
  }
});

test('an email that became a doubt a moment ago is listed', async () => {
  const ledger = redisLedger(client, { prefix });
  for (let round = 0; round < 200; round++) {
    const times = { leaseMs: 60_000, retentionMs: 60_000 };
    const attempt = { key: keyOf(round), token: createToken(), ...times };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt' });
    const listed = await keysOf(ledger.list({ state: 'in-doubt' }));
    expect(listed).toContain(attempt.key);
  }
});

test('Redis goes away in the middle of a list: an error within the deadline, and the next list is whole', async () => {
  const keys = Array.from({ length: 3000 }, (_, index) => keyOf(index));
  await addDoubts(keys, (index) => 1e12 + index);
  const proxy = await startTcpProxy({ url: space.url });
  const ledger: Ledger = redisLedger(space.connect({}, proxy.url), { prefix, answerWithinMs: 300 });
  const listed: string[] = [];
  let awayAtMs = 0;
  const reading = (async () => {
    for await (const { key } of ledger.list({ state: 'in-doubt' })) {
      listed.push(key);
      if (listed.length !== 1000) continue;
      awayAtMs = performance.now();
      proxy.pause();
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
  expect(performance.now() - awayAtMs).toBeLessThan(3000);
  expect(listed).toEqual(keys.slice(0, listed.length));
  proxy.resume();
  expect(await keysOf(ledger.list({ state: 'in-doubt' }))).toEqual(keys);
  await proxy.close();
});
