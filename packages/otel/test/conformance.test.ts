import { describeLedger } from '@sendonce/ledger-tests';
import { startTcpProxy } from '@sendonce/testkit';
import { redisLedger } from '@sendonce/redis';
import { openNamespace } from '../../redis/test/connections.ts';
import { sendonceTelemetry } from '../src/index.ts';

describeLedger(
  'the Redis ledger, timed',
  async () => {
    const space = openNamespace('otel');
    const { prefix } = space;
    const client = space.connect();
    const proxy = await startTcpProxy({ url: space.url });
    const telemetry = sendonceTelemetry();
    const place = (key: string) => `${prefix}:{${key[0]}}${key.slice(1)}`;
    return {
      ledger: telemetry.ledger(redisLedger(client, { prefix })),
      other: telemetry.ledger(redisLedger(space.connect(), { prefix })),
      corrupt: async (key: string, bytes: string) => void (await client.set(place(key), bytes)),
      stored: async (key: string) => (await client.get(place(key))) ?? undefined,
      async lostReply(verb) {
        const cut = space.connect({}, proxy.url);
        await cut.ping();
        const armed = proxy.cutAfterRequest('evalsha');
        const answer = await verb(telemetry.ledger(redisLedger(cut, { prefix })));
        await armed.struck;
        return answer;
      },
      async close() {
        await space.close();
        await proxy.close();
      },
    };
  },
  { concurrent: true },
);
