import { startTcpProxy } from '@sendonce/testkit';
import { type Deliveries, startDeliveries } from '../deliveries.ts';
import { type History, startHistory } from '../history.ts';
import type { Question } from './messages.ts';
import type { Scenario } from './scenarios.ts';
import type { Servers } from './servers.ts';

/** For how long the network stalls: longer than a verb waits, shorter than a verb is repeated. */
const STALL_MS = 600;

/** Where one case at a time runs, with its own mail server, provider and network for its faults. */
export interface Lane {
  readonly deliveries: Deliveries;
  readonly history: History;
  /** The ledger's servers, by way of this lane's network. */
  readonly proxiedUrls: readonly string[];
  breakMail(scenario: Scenario): void;
  answer(question: Question, email: number): number;
  readonly close: () => Promise<void>;
}

export async function startLane({ storeUrls }: Servers): Promise<Lane> {
  const history = startHistory();
  const deliveries = await startDeliveries(history);
  const proxies = await Promise.all(storeUrls.map((url) => startTcpProxy({ url })));
  let still: NodeJS.Timeout | undefined;
  const resume = () => {
    clearTimeout(still);
    for (const proxy of proxies) proxy.resume();
  };
  return {
    deliveries,
    history,
    proxiedUrls: proxies.map(({ url }) => url),
    breakMail({ mail, provider }) {
      resume();
      deliveries.smtp.setFault(mail);
      deliveries.provider.setFault(provider);
    },
    answer(question, email) {
      if (question === 'cut the network') for (const proxy of proxies) proxy.cut();
      if (question === 'stop the network') {
        for (const proxy of proxies) proxy.pause();
        still = setTimeout(resume, STALL_MS);
      }
      return deliveries.countOf(email);
    },
    async close() {
      resume();
      await Promise.all([deliveries.close(), ...proxies.map((proxy) => proxy.close())]);
    },
  };
}
