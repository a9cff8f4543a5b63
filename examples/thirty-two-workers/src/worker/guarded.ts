import { type Ledger, once, type OnceEvent } from '@sendonce/bullmq';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { GuardId } from '../guards.ts';
import type { EventKind } from '../messages.ts';
import { LEASE_MS } from '../timing.ts';
import type { NoticeJob, NoticeProcessor } from './notice.ts';
import { createRedlock, waitTurn } from './redlock.ts';

export interface GuardTools {
  /** The guard's own connection. */
  readonly redis: Redis;
  /** The same for a guard on PostgreSQL, which has one. */
  readonly pool: Pool | undefined;
  readonly ledger: Ledger;
  readonly prefix: string;
  readonly tell: (kind: EventKind) => void;
}

type Wrap = (processor: NoticeProcessor, tools: GuardTools) => Promise<NoticeProcessor>;

/** The guards, as people write them: each wraps the same processor. */
export const guarded: Readonly<Record<GuardId, Wrap>> = {
  none: async (processor) => processor,

  // The example in redlock's README; it respects the signal that fires when the lock was lost.
  'lock-only': async (processor, { redis, prefix, tell }) => {
    const redlock = await createRedlock(redis);
    return async (job, token) => {
      tell('wait');
      const turn = { resource: keyOf(prefix, job), leaseMs: LEASE_MS };
      return waitTurn(redlock, turn, async (signal) => {
        tell('claim');
        return processor(job, token, signal);
      });
    };
  },

  // An advisory lock: the session holds it, and the server releases it when the session ends.
  'lock-only-postgres': async (processor, { pool, prefix, tell }) => {
    return async (job, token, signal) => {
      tell('wait');
      const client = await pool!.connect();
      let lost: Error | undefined;
      client.on('error', (error) => (lost = error));
      try {
        await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [
          keyOf(prefix, job),
        ]);
        tell('claim');
        return await processor(job, token, signal);
      } finally {
        // Closed, which unlocks.
        client.release(lost ?? true);
      }
    };
  },

  // As in superstan777/vf-warranty-mailbot, services/cache/dedupe.ts:
  //   const result = await redis.set(mailId, "1", "EX", ttlSeconds, "NX");
  //   return result === null;
  // As there, the key is not deleted if sending fails. With a `del` in a catch, an error after the
  // email was sent would send a second one as well.
  'naive-lease': async (processor, { redis, prefix, tell }) => {
    return async (job, token, signal) => {
      const claimed = await redis.set(keyOf(prefix, job), '1', 'PX', LEASE_MS, 'NX');
      if (claimed === null) return alreadySent(tell);
      tell('claim');
      return processor(job, token, signal);
    };
  },

  // The same without an end, as in `onceByKey` of IfeyChan702/TgCustomerGramjs, utils/lockUtil.js.
  'naive-forever': async (processor, { redis, prefix, tell }) => {
    return async (job, token, signal) => {
      const claimed = await redis.set(keyOf(prefix, job), '1', 'NX');
      if (claimed === null) return alreadySent(tell);
      tell('claim');
      return processor(job, token, signal);
    };
  },

  sendonce: ours,
  'sendonce-redlock': ours,
  'sendonce-postgres': ours,
};

async function ours(processor: NoticeProcessor, { ledger, tell }: GuardTools) {
  return once(processor, {
    ledger,
    key: (job: NoticeJob) => ['delivery-notice', job.data.orderId, job.data.to],
    dispatch: 'at-send',
    leaseMs: LEASE_MS,
    onEvent({ type }) {
      const kind = kinds[type];
      if (kind) tell(kind);
    },
  });
}

const kinds: Partial<Record<OnceEvent<NoticeJob>['type'], EventKind>> = {
  claimed: 'claim',
  dispatched: 'dispatch',
  busy: 'busy',
  duplicate: 'already-sent',
  'in-doubt': 'in-doubt',
  lost: 'lost',
};

function keyOf(prefix: string, job: NoticeJob): string {
  return `${prefix}:delivery-notice:${job.data.orderId}`;
}

function alreadySent(tell: GuardTools['tell']): undefined {
  tell('already-sent');
  return undefined;
}
