import type { Redis } from 'ioredis';
import type { System } from '../system.ts';

/** The part of redlock that is used here; its own types are not reachable through its "exports". */
interface Redlock {
  using<R>(resources: string[], durationMs: number, routine: () => Promise<R>): Promise<R>;
  on(event: 'error', listener: () => void): unknown;
}

/** As in the "Usage" of its README. */
const DURATION_MS = 5_000;

/**
 * `using()` around the processor with the library's defaults. It locks and remembers nothing. On
 * one node it has the queue's server, as our ledger on one Redis; on three it has those of our
 * redlock ledger.
 */
export function redlockLibrary(count: 1 | 3): System {
  return {
    title: `redlock library ×${count}`,
    async open({ connect, nodes, prefix, redis }) {
      const servers = count === 1 ? [redis] : await nodes();
      // By a name that TypeScript does not follow.
      // oxlint-disable-next-line typescript/no-unnecessary-type-assertion
      const { default: Library } = (await import('redlock' as string)) as {
        default: new (clients: Redis[]) => Redlock;
      };
      const redlock = new Library(servers.map(({ url }) => connect(url)));
      // It reports every lock that another client holds as an error event.
      redlock.on('error', () => {});
      return ({ plain }) =>
        (job) =>
          redlock.using([`${prefix}:lock:${job.data.orderId}`], DURATION_MS, () => plain(job));
    },
  };
}
