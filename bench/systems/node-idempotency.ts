import { Idempotency } from '@node-idempotency/core';
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis';
import type { System } from '../system.ts';

/** `onRequest()` before the work and `onResponse()` after it, with the library's defaults. */
export const nodeIdempotency: System = {
  title: 'node-idempotency',
  async open({ redis, prefix, onEnd }) {
    const storage = new RedisStorageAdapter({ url: redis.url });
    await storage.connect();
    onEnd(() => storage.disconnect());
    const idempotency = new Idempotency(storage, { cacheKeyPrefix: prefix });
    return ({ plain }) =>
      async (job) => {
        const request = {
          method: 'POST',
          path: '/delivery-notice',
          headers: { 'idempotency-key': job.data.orderId },
          body: { ...job.data },
        };
        const earlier = await idempotency.onRequest<unknown, string>(request);
        if (earlier) return earlier.body;
        const body = await plain(job);
        await idempotency.onResponse(request, { body });
        return body;
      };
  },
};
