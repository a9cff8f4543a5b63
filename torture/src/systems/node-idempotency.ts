import type { Sent, System } from '../system.ts';
import { aroundSend } from './around-send.ts';

export const nodeIdempotency: System = {
  title: 'node-idempotency',
  packages: ['@node-idempotency/core', '@node-idempotency/storage-adapter-redis'],
  setup:
    'https://www.npmjs.com/package/@node-idempotency/core: onRequest() before the send, onResponse() after it',
  store: 'redis',
  async open({ plan, processor, transporters }) {
    const { Idempotency } = await import('@node-idempotency/core');
    const { RedisStorageAdapter } = await import('@node-idempotency/storage-adapter-redis');
    const storage = new RedisStorageAdapter({ url: plan.storeUrls[0]! });
    await storage.connect();
    const idempotency = new Idempotency(storage, { cacheKeyPrefix: plan.storePrefix });
    aroundSend(transporters['at-send'], (send) => async (mail) => {
      const request = {
        method: 'POST',
        path: '/notices',
        headers: { 'idempotency-key': `${mail.to} ${mail.subject}` },
        body: { to: mail.to, subject: mail.subject },
      };
      const earlier = await idempotency.onRequest<Sent, string>(request);
      if (earlier?.error !== undefined) throw new Error(earlier.error);
      if (earlier) return earlier.body!;
      const sent = await send(mail).catch(async (error: unknown) => {
        // As its NestJS plugin does: the error is the outcome, and every copy gets it.
        await idempotency.onResponse(request, { error: String(error) });
        throw error;
      });
      await idempotency.onResponse(request, { body: sent });
      return sent;
    });
    return { processor, close: () => storage.disconnect() };
  },
};
