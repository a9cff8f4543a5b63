import { describeLedger } from '@sendonce/ledger-tests';
import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { createClient } from 'redis';
import { afterAll, expect, test } from 'vitest';
import { fromNodeRedis, redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

describeLedger(
  'the Redis ledger by node-redis',
  async () => {
    const space = openNamespace('node-redis');
    const clients = [await connected(space.url), await connected(space.url)] as const;
    const [ledger, other] = clients.map((client) =>
      redisLedger(fromNodeRedis(client), { prefix: space.prefix }),
    );
    return {
      ledger: ledger!,
      other: other!,
      async close() {
        for (const client of clients) await client.close();
        await space.close();
      },
    };
  },
  { concurrent: true },
);

const space = openNamespace('node-redis-alone');
afterAll(() => space.close());

test('a ledger by node-redis and one by ioredis see the same records', async () => {
  const client = await connected(space.url);
  const { prefix } = space;
  const key = deriveKey(createToken());
  await perform(async () => 'first', {
    ledger: redisLedger(fromNodeRedis(client), { prefix }),
    key,
  });
  const copy = await perform(async () => expect.unreachable(), {
    ledger: redisLedger(space.connect(), { prefix }),
    key,
  });
  expect(copy).toMatchObject({ state: 'duplicate', value: 'first' });
  await client.close();
});

test('a client of node-redis without the adapter is refused, and the message names it', async () => {
  const client = await connected(space.url);
  expect(() => redisLedger(client as never)).toThrow(/fromNodeRedis\(client\)/);
  await client.close();
});

async function connected(url: string) {
  const client = createClient({ url });
  await client.connect();
  return client;
}
