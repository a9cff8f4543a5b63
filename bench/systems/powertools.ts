import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache';
import { createClient } from '@redis/client';
import type { NoticeJob, System } from '../system.ts';

const LEASE_MS = 30_000;

/**
 * `makeIdempotent()` around the processor, its store on Redis. Its key is the first argument, the
 * order's id, which is the cheapest that its documentation has: no JMESPath over the job.
 */
export const powertools: System = {
  title: 'Powertools idempotency',
  async open({ redis, prefix, onEnd }) {
    const client = createClient({ url: redis.url });
    client.on('error', () => {});
    await client.connect();
    onEnd(() => client.destroy());
    const config = new IdempotencyConfig({});
    // Outside Lambda nothing else sets it, and every call would warn.
    const context = { getRemainingTimeInMillis: () => LEASE_MS };
    config.registerLambdaContext(context as Parameters<typeof config.registerLambdaContext>[0]);
    const persistenceStore = new CachePersistenceLayer({ client });
    return ({ plain }) => {
      const send = async (_orderId: string, job: NoticeJob) => plain(job);
      const sendOnce = makeIdempotent(send, { persistenceStore, config, keyPrefix: prefix });
      return (job) => sendOnce(job.data.orderId, job);
    };
  },
};
