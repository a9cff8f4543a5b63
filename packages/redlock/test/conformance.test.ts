import type { Ledger } from '@sendonce/core';
import { describeLedger } from '@sendonce/ledger-tests';
import { startTcpProxy } from '@sendonce/testkit';
import { redlockLedger } from '../src/index.ts';
import { startNodes } from './nodes.ts';

for (const count of [3, 5]) {
  describeLedger(`the redlock ledger on ${count} nodes`, () => underTest(count), {
    concurrent: true,
  });
}

async function underTest(count: number) {
  const nodes = await startNodes(count);
  const direct = nodes.connect();
  const proxies = await Promise.all(nodes.servers.map(({ url }) => startTcpProxy({ url })));
  return {
    ledger: nodes.ledger({ answerWithinMs: 10_000 }),
    other: nodes.ledger({ answerWithinMs: 10_000 }),
    // All cases at once on two cores: a round trip to five nodes takes its time.
    timeUnitMs: 1_000,
    async corrupt(key: string, bytes: string) {
      await Promise.all(direct.map((client) => client.set(nodes.place(key), bytes)));
    },
    stored: async (key: string) => (await direct[0]!.get(nodes.place(key))) ?? undefined,
    // New connections each time: the next command on them is the verb.
    async lostReply<T>(verb: (ledger: Ledger) => Promise<T>): Promise<T> {
      const cut = nodes.connect(proxies.map(({ url }) => url));
      await Promise.all(cut.map((client) => client.ping()));
      const armed = proxies.map((proxy) => proxy.cutAfterRequest('evalsha'));
      const answer = await verb(
        redlockLedger(cut, { prefix: nodes.prefix, answerWithinMs: 10_000 }),
      );
      await Promise.all(armed.map(({ struck }) => struck));
      return answer;
    },
    async close() {
      await nodes.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
