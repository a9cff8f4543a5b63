import { setTimeout as sleep } from 'node:timers/promises';
import {
  deriveKey,
  isSendonceError,
  type Ledger,
  type LedgerRecord,
  perform,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { describeLedger } from '@sendonce/ledger-tests';
import { type ClusterNode, type RedisCluster, startRedisCluster } from '@sendonce/testkit';
import { Cluster } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Durability, redisLedger } from '../src/index.ts';

const durability: Durability = { replicas: 1, answerWithinMs: 500 };

describeLedger(
  'the Redis ledger on a Cluster, with durability',
  async () => {
    const own = await startRedisCluster();
    const clients = [new Cluster(own.startupNodes), new Cluster5(own.startupNodes)] as const;
    const [ledger, other] = clients.map((client) => redisLedger(client, { durability }));
    return {
      ledger: ledger!,
      other: other!,
      async close() {
        for (const client of clients) await client.quit();
        await own.stop();
      },
    };
  },
  { concurrent: true },
);

describe('a Cluster of three masters and three replicas', () => {
  let cluster: RedisCluster;
  let client: Cluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    client = new Cluster(cluster.startupNodes);
    client.on('error', () => {});
  });
  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  test('lists doubts of all shards, those that are silent for longest first, and resolves them', async () => {
    const ledger = redisLedger(client);
    const keys = 'AZaz09-_'.split('').map((shard) => shard + deriveKey(createToken()).slice(1));
    for (const key of keys) {
      const attempt = { key, token: createToken(), leaseMs: 60_000, retentionMs: 600_000 };
      await ledger.claim({ ...attempt, dispatched: true });
      await ledger.settle({ ...attempt, outcome: 'in-doubt' });
      // Shards are on several machines: their clocks agree to the millisecond at best.
      await sleep(2);
    }
    const listed = await doubts(ledger);
    expect(listed.map(({ key }) => key)).toEqual(keys);
    for (const [index, { key, token }] of listed.entries()) {
      const verdict = index % 2 ? 'sent' : 'not-sent';
      const resolution = { key, token, verdict, by: 'test', retentionMs: 600_000 } as const;
      expect(await ledger.resolve(resolution)).toEqual({ state: 'resolved' });
    }
    expect(await doubts(ledger)).toEqual([]);
    expect((await ledger.read(keys[0]!))?.state).toBeUndefined();
    expect((await ledger.read(keys[1]!))?.state).toBe('sent');
  });

  test('a shard that has moved is found by a ledger that waits', async () => {
    const own = new Cluster(cluster.startupNodes);
    const ledger = redisLedger(own, { durability });
    const keys = Array.from({ length: 64 }, () => deriveKey(createToken()));
    const claim = (key: string) =>
      ledger.claim({
        key,
        token: createToken(),
        leaseMs: 60_000,
        retentionMs: 600_000,
        dispatched: true,
      });
    await Promise.all(keys.map((key) => claim(key)));
    // This client does not know yet, and gets MOVED.
    const [was, becomes] = [cluster.nodes[2]!, cluster.nodes[5]!];
    await becomes.run('CLUSTER', 'FAILOVER');
    await cluster.hasRole(becomes, 'master');
    await cluster.hasRole(was, 'slave');
    const replies = await Promise.all(keys.map(() => claim(createToken())));
    expect(replies.every(({ state }) => state === 'won')).toBe(true);
    own.disconnect();
  });

  test.each([
    ['with durability none leaves twice', durability],
    ['without it some leave twice', undefined],
  ] as const)(
    'of 2000 emails none is lost while a master is killed and another gives way; %s',
    { timeout: 60_000 },
    async (name, asked) => {
      const ledger = redisLedger(client, asked ? { durability: asked } : {});
      const emails: string[] = [];
      const keys = Array.from({ length: 2_000 }, () => deriveKey(createToken()));
      let failovers: Promise<number> | undefined;
      // Each is twice in the queue, the copies later.
      await runJobs([...keys, ...keys], async (key) => {
        await sendOne(ledger, key, async () => {
          emails.push(key);
          // In the middle, with 63 other emails on their way.
          if (emails.length === 700) failovers = failOverTwice(cluster, () => emails.length);
          await sleep(10);
        });
      });
      expect(await failovers).toBeLessThan(2_000);
      const inDoubt = new Set((await doubts(ledger)).map(({ key }) => key));
      const lost = keys.filter((key) => !emails.includes(key) && !inDoubt.has(key));
      const twice = emails.length - new Set(emails).size;
      console.log(`${name}: ${emails.length} left, ${twice} twice, ${inDoubt.size} in doubt`);
      expect(lost).toEqual([]);
      if (asked) expect(twice).toBe(0);
    },
  );
});

/** A worker of 64 jobs at a time. */
async function runJobs(
  keys: readonly string[],
  job: (key: string) => Promise<void>,
): Promise<void> {
  const queue = keys.values();
  const lane = async () => {
    for (const key of queue) await job(key);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}

/** What BullMQ does with the job: again after an error or a delay, until there is an answer. */
async function sendOne(ledger: Ledger, key: string, effect: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      const { state } = await perform(effect, { ledger, key, leaseMs: 4_000 });
      if (state !== 'busy') return;
    } catch (error) {
      const again = ['SENDONCE_LEDGER_UNAVAILABLE', 'SENDONCE_NOT_RECORDED'] as const;
      if (!again.some((code) => isSendonceError(error, code))) throw error;
    }
    await sleep(50 + Math.random() * 50);
  }
}

/**
 * The replica of one master loses touch; the master runs for 200 ms more and is killed (kill -9);
 * the replica takes over without what it missed, and the old master comes back as its replica.
 * Meanwhile another master gives way. Resolves with the number of emails that had left before that.
 */
async function failOverTwice(cluster: RedisCluster, emails: () => number): Promise<number> {
  const roles = await Promise.all(cluster.nodes.map(({ run }) => run('ROLE')));
  const masters = cluster.nodes.filter((_, index) => (roles[index] as unknown[])[0] === 'master');
  const [killed, planned] = masters as [ClusterNode, ClusterNode];
  const heirOf = ({ port }: ClusterNode) =>
    cluster.nodes.find((_, index) => Number((roles[index] as unknown[])[2]) === port)!;
  const [heir, plannedHeir] = [heirOf(killed), heirOf(planned)];
  heir.pause();
  await killed.run('CLIENT', 'KILL', 'TYPE', 'replica');
  await sleep(200);
  await killed.kill();
  heir.resume();
  await cluster.hasRole(heir, 'master');
  const before = emails();
  const restarted = killed.restart();
  await plannedHeir.run('CLUSTER', 'FAILOVER');
  await cluster.hasRole(plannedHeir, 'master');
  await restarted;
  await cluster.hasRole(killed, 'slave');
  return before;
}

async function doubts(ledger: Ledger): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state: 'in-doubt' })) records.push(record);
  return records;
}
