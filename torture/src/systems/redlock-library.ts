import type { Redis } from 'ioredis';
import { keyOf } from '../email.ts';
import type { System } from '../system.ts';
import { connect } from './open-ledger.ts';

/** The part of redlock that is used here. */
interface Redlock {
  using<R>(
    resources: string[],
    durationMs: number,
    routine: (signal: AbortSignal) => Promise<R>,
  ): Promise<R>;
  on(event: 'error', listener: () => void): unknown;
}

type RedlockClass = new (
  clients: Redis[],
  settings: { retryCount: number; retryDelay: number; retryJitter: number },
) => Redlock;

export const redlockLibrary: System = {
  title: 'redlock',
  packages: ['redlock'],
  setup: 'README of redlock, "Usage": using() around the processor, its signal heeded; three nodes',
  store: 'redlock',
  async open({ plan, processor }) {
    // By a name that TypeScript does not follow: the types of redlock 5.0.0-beta.2 are not
    // reachable through its "exports".
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion
    const { default: Redlock } = (await import('redlock' as string)) as { default: RedlockClass };
    const clients = plan.storeUrls.map((url) => connect(url));
    const { leaseMs } = plan.timing;
    const redlock = new Redlock(clients, {
      // As in the README, where the lock lives for 5,000 ms and attempts are 200 ms apart.
      retryCount: 10,
      retryDelay: leaseMs / 25,
      retryJitter: leaseMs / 25,
    });
    // It reports every lock that another client holds as an error event.
    redlock.on('error', () => {});
    return {
      processor: (job, token) => {
        const resource = `${plan.storePrefix}:${keyOf(job.data).join(':')}`;
        return redlock.using([resource], leaseMs, (signal) => processor(job, token, signal));
      },
      async close() {
        for (const client of clients) client.disconnect();
      },
    };
  },
};
