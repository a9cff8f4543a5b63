import type { Ledger } from '@sendonce/core';
import { describeLedger } from '@sendonce/ledger-tests';
import { startTcpProxy } from '@sendonce/testkit';
import { Redis as Redis5 } from 'ioredis5';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

describeLedger('the Redis ledger', () => underTest('conformance'), { concurrent: true });

describeLedger(
  'the Redis ledger by ioredis 5',
  async () => {
    const space = openNamespace('conformance5');
    space.connect();
    const clients = [new Redis5(space.url), new Redis5(space.url)] as const;
    const [ledger, other] = clients.map((client) => redisLedger(client, { prefix: space.prefix }));
    return {
      ledger: ledger!,
      other: other!,
      async close() {
        for (const client of clients) await client.quit();
        await space.close();
      },
    };
  },
  { concurrent: true },
);

describeLedger(
  'the Redis ledger that settles on the connection of the queue',
  () =>
    underTest('settle-on', async (ledger, space) => {
      const settleVia = await ledger.settleVia?.(space.connect());
      if (!settleVia) throw new Error('It does not settle there.');
      return { ...ledger, settle: (settlement) => settleVia(settlement).reply };
    }),
  { concurrent: true },
);

type Space = ReturnType<typeof openNamespace>;

async function underTest(
  name: string,
  change: (ledger: Ledger, space: Space) => Promise<Ledger> = async (ledger) => ledger,
) {
  const space = openNamespace(name);
  const { prefix } = space;
  const client = space.connect();
  const proxy = await startTcpProxy({ url: space.url });
  const place = (key: string) => `${prefix}:{${key[0]}}${key.slice(1)}`;
  return {
    ledger: await change(redisLedger(client, { prefix }), space),
    other: await change(redisLedger(space.connect(), { prefix }), space),
    corrupt: async (key: string, bytes: string) => void (await client.set(place(key), bytes)),
    stored: async (key: string) => (await client.get(place(key))) ?? undefined,
    // A new connection each time: the next command on it is the verb.
    async lostReply<T>(verb: (ledger: Ledger) => Promise<T>): Promise<T> {
      const cut = space.connect({}, proxy.url);
      await cut.ping();
      const armed = proxy.cutAfterRequest('evalsha');
      const answer = await verb(redisLedger(cut, { prefix }));
      await armed.struck;
      return answer;
    },
    async close() {
      await space.close();
      await proxy.close();
    },
  };
}
