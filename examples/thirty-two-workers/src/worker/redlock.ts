import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** The part of redlock that is used here. */
export interface Redlock {
  using<T>(
    resources: string[],
    durationMs: number,
    settings: { retryCount: number },
    routine: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  on(event: 'error', listener: () => void): unknown;
}

type RedlockClass = new (
  clients: Redis[],
  settings: { retryDelay: number; automaticExtensionThreshold: number },
) => Redlock;

export async function createRedlock(redis: Redis): Promise<Redlock> {
  // By a name that TypeScript does not follow: the types of redlock 5.0.0-beta.2 are not reachable
  // through its "exports".
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion
  const { default: Redlock } = (await import('redlock' as string)) as { default: RedlockClass };
  const redlock = new Redlock([redis], { retryDelay: 20, automaticExtensionThreshold: 500 });
  // redlock emits an error event for every lock that another worker holds.
  redlock.on('error', () => {});
  return redlock;
}

export interface Turn {
  readonly resource: string;
  readonly leaseMs: number;
}

/**
 * Waits for the lock for as long as it takes, as an advisory lock does.
 *
 * Not by redlock's own `retryCount: -1`: it counts the lease from the first attempt, so that a lock
 * that was awaited for longer than its lease counts as expired at once.
 */
export async function waitTurn<T>(
  redlock: Redlock,
  { resource, leaseMs }: Turn,
  routine: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let held = false;
  for (;;) {
    try {
      return await redlock.using([resource], leaseMs, { retryCount: 0 }, (signal) => {
        held = true;
        return routine(signal);
      });
    } catch (error) {
      const taken = !held && error instanceof Error && error.name === 'ExecutionError';
      if (!taken) throw error;
      await sleep(15 + Math.random() * 30);
    }
  }
}
