import type { System } from '../system.ts';
import { aroundSend } from './around-send.ts';

export const powertools: System = {
  title: 'Powertools idempotency',
  packages: ['@aws-lambda-powertools/idempotency', '@redis/client'],
  setup:
    'https://docs.aws.amazon.com/powertools/typescript/latest/features/idempotency/: makeIdempotent() around the send, CachePersistenceLayer, a registered context',
  store: 'redis',
  async open({ plan, processor, transporters }) {
    const { IdempotencyConfig, makeIdempotent } =
      await import('@aws-lambda-powertools/idempotency');
    const { CachePersistenceLayer } = await import('@aws-lambda-powertools/idempotency/cache');
    const { createClient } = await import('@redis/client');
    const client = createClient({ url: plan.storeUrls[0]! });
    client.on('error', () => {});
    await client.connect();
    const config = new IdempotencyConfig({
      eventKeyJmesPath: '[to, subject]',
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: plan.timing.retentionMs / 1_000,
    });
    // When an attempt that died may be repeated. Without it the second copy repeats it at once.
    const getRemainingTimeInMillis = () => plan.timing.leaseMs;
    config.registerLambdaContext({ getRemainingTimeInMillis } as Parameters<
      typeof config.registerLambdaContext
    >[0]);
    const persistenceStore = new CachePersistenceLayer({ client });
    aroundSend(transporters['at-send'], (send) =>
      makeIdempotent(send, { persistenceStore, config, keyPrefix: plan.storePrefix }),
    );
    return { processor, close: () => client.close() };
  },
};
