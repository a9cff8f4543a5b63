import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { type RedisCluster, startRedisCluster } from '@sendonce/testkit';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';

// A third of the 64 shards is on each master, and all of them share its connection.
let cluster: RedisCluster;
let client: Cluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
});
beforeEach(() => {
  client = new Cluster(cluster.startupNodes);
  client.on('error', () => {});
});
afterEach(() => {
  client.disconnect();
  cluster.nodes[3]!.resume();
});
afterAll(() => cluster.stop());

test('on a Cluster, one wait for each master covers all its shards', async () => {
  const ledger = redisLedger(client, { durability: { replicas: 1 } });
  await Promise.all(oneOfEachShard().map((claim) => ledger.claim(claim)));
  const before = await waits();
  const replies = await Promise.all(oneOfEachShard().map((claim) => ledger.claim(claim)));
  expect(replies.every(({ state }) => state === 'won')).toBe(true);
  expect((await waits()) - before).toBe(3);
});

test('a replica that is away fails the emails of its master only, and heartbeats wait once', async () => {
  const ledger = redisLedger(client, { durability: { replicas: 1, answerWithinMs: 300 } });
  const held = oneOfEachShard();
  await Promise.all(held.map((claim) => ledger.claim(claim)));
  cluster.nodes[3]!.pause();
  const began = performance.now();
  const claims = Promise.allSettled(oneOfEachShard().map((claim) => ledger.claim(claim)));
  // Later than the claims, on the same connections.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(new Set(await ledger.heartbeat(held))).toEqual(new Set(['kept']));
  // One wait of each shard would take 20 times 300 ms.
  expect(performance.now() - began).toBeLessThan(2_000);
  const failed = (await claims).filter(({ status }) => status === 'rejected');
  expect(failed.length).toBeGreaterThan(64 / 6);
  expect(failed.length).toBeLessThan(64 / 2);
  for (const { reason } of failed as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({ message: expect.stringMatching(/0 of the 1 replicas/) });
  }
});

test('a map that is wrong costs a wait for each shard, and nothing else', async () => {
  await client.ping();
  const lying = {
    evalsha: client.evalsha.bind(client),
    eval: client.eval.bind(client),
    info: client.info.bind(client),
    pipeline: client.pipeline.bind(client),
    isCluster: true,
    slots: Array.from({ length: 16_384 }, () => ['127.0.0.1:1']),
  };
  const ledger = redisLedger(lying, { durability: { replicas: 1 } });
  const replies = await Promise.all(oneOfEachShard().map((claim) => ledger.claim(claim)));
  expect(replies.every(({ state }) => state === 'won')).toBe(true);
});

function oneOfEachShard() {
  const shards = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');
  return shards.map((shard) => ({
    key: shard + deriveKey(createToken()).slice(1),
    token: createToken(),
    leaseMs: 60_000,
    retentionMs: 600_000,
    dispatched: true,
  }));
}

/** How many waits the masters have executed. */
async function waits(): Promise<number> {
  const masters = cluster.nodes.slice(0, 3);
  const infos = await Promise.all(masters.map(({ run }) => run('INFO', 'commandstats')));
  return infos
    .map((info) => Number(/^cmdstat_wait:calls=(\d+)/m.exec(String(info))?.[1] ?? 0))
    .reduce((sum, calls) => sum + calls, 0);
}
