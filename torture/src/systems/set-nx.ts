import { keyOf } from '../email.ts';
import type { System } from '../system.ts';
import { connect } from './open-ledger.ts';

/**
 * As in superstan777/vf-warranty-mailbot, services/cache/dedupe.ts:
 *   const result = await redis.set(mailId, "1", "EX", ttlSeconds, "NX");
 *   return result === null;
 */
export function setNx(kept: 'lease' | 'forever'): System {
  return {
    title: kept === 'lease' ? 'SET NX, a lease' : 'SET NX, for ever',
    packages: ['ioredis'],
    setup: `SET NX${kept === 'lease' ? ' PX' : ''} before the send, as found in public repositories`,
    store: 'redis',
    async open({ plan, processor, tell }) {
      const redis = connect(plan.storeUrls[0]!);
      return {
        processor: async (job, token, signal) => {
          const key = `${plan.storePrefix}:${keyOf(job.data).join(':')}`;
          const claimed =
            kept === 'lease'
              ? await redis.set(key, '1', 'PX', plan.timing.leaseMs, 'NX')
              : await redis.set(key, '1', 'NX');
          tell(job, claimed === null ? 'treated as a duplicate' : 'claimed');
          return claimed === null ? undefined : processor(job, token, signal);
        },
        async close() {
          redis.disconnect();
        },
      };
    },
  };
}
