import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, isSendonceError, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, type RedisSentinels, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { type Durability, redisLedger } from '../src/index.ts';
import { startLaggingLink } from './lagging-link.ts';

export interface Failover {
  /** How late the replica is. */
  readonly lagMs: number;
  /** When the master dies, counted from the moment at which the first attempt begins. */
  readonly killAfterMs: number | 'once the email has left';
  readonly durability?: Durability;
}

export interface AfterFailover {
  /** How often the email left: 1 is right, 0 is right where it is in doubt. */
  readonly emails: number;
  readonly inDoubt: boolean;
  /** Whether the first attempt sent it, before the master died. */
  readonly leftAtOnce: boolean;
}

/**
 * A master with one replica that lags, watched by real Sentinels. An attempt dispatches its email;
 * the master and the attempt die (kill -9); the replica is promoted; a copy of the job comes and
 * sends what the new master lets it send.
 */
export async function failOver(
  { sentinels, watch, forget, masterPort }: RedisSentinels,
  { lagMs, killAfterMs, durability }: Failover,
): Promise<AfterFailover> {
  const args = ['--repl-diskless-sync-delay', '0'];
  const master = await startRedis({ args });
  const link = await startLaggingLink(master.port, lagMs);
  const replica = await startRedis({
    args: [...args, '--replicaof', '127.0.0.1', String(link.port)],
  });
  const name = `mails-${master.port}`;
  // Sentinels ask a master for its replicas at once, and then only every ten seconds.
  await inStep(replica.url);
  await watch(name, master, 1);
  const [first, second] = [openBySentinel(sentinels, name), openBySentinel(sentinels, name)];
  try {
    const key = deriveKey(createToken());
    let emails = 0;
    const before = redisLedger(first, durability ? { durability } : {});
    const attempt = { token: createToken(), leaseMs: 2_000, retentionMs: 600_000 };
    // Another email first, so that the script is loaded and the replica in step.
    await before.claim({ ...attempt, key: deriveKey(createToken()), dispatched: true });
    await sleep(4 * lagMs);
    const left = before.claim({ ...attempt, key, dispatched: true }).then(
      ({ state }) => void (emails += Number(state === 'won')),
      // No answer: this attempt sends nothing.
      () => {},
    );
    await (typeof killAfterMs === 'number' ? sleep(killAfterMs) : left);
    // Sentinels point a replica at its master's own address after their failover-timeout.
    if (!link.inUse()) throw new Error('The replica did not use the lagging link any more.');
    await Promise.all([master.kill(), link.lose()]);
    const leftAtOnce = emails === 1;
    first.disconnect();
    while ((await masterPort(name)) === master.port) await sleep(50);
    const inDoubt = await sendCopy(redisLedger(second), key, () => void emails++);
    return { emails, inDoubt, leftAtOnce };
  } finally {
    first.disconnect();
    second.disconnect();
    await forget(name);
    await Promise.all([master.stop(), replica.stop()]);
  }
}

/** A client that finds the master by its name. */
export function openBySentinel(sentinels: RedisSentinels['sentinels'], name: string): Redis {
  const client: Redis = new Redis({
    sentinels,
    name,
    maxRetriesPerRequest: null,
    sentinelRetryStrategy: () => 50,
  });
  return client.on('error', () => {});
}

/** Resolves when the replica follows its master. */
export async function inStep(url: string): Promise<void> {
  const client = new Redis(url);
  await eventually(
    async () => {
      const info = await client.info('replication');
      if (!info.includes('master_link_status:up')) throw new Error('The replica is not in step.');
    },
    { timeoutMs: 15_000 },
  );
  client.disconnect();
}

/** Runs the copy of the job, as BullMQ would, until it is known what happened to the email. */
export async function sendCopy(
  ledger: ReturnType<typeof redisLedger>,
  key: string,
  send: () => void,
): Promise<boolean> {
  for (;;) {
    try {
      const { state } = await perform(async () => send(), { ledger, key, leaseMs: 2_000 });
      if (state !== 'busy') return state === 'in-doubt';
    } catch (error) {
      if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
    }
    await sleep(100);
  }
}
