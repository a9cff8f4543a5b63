import type { Attempt } from '@sendonce/core';

/** The claims that this process holds in its session. */
export interface HeldClaims {
  readonly size: number;
  /** The ledger has confirmed it. */
  keep(attempt: Attempt): void;
  /** Nobody sends under it any more; its end is about to be recorded. */
  conclude(token: string): void;
  drop(token: string): void;
  /** Those under which somebody is sending. */
  sending(): Attempt[];
  /** Those that were not confirmed for two leases: nobody sends under them, whatever was planned. */
  forgotten(): Attempt[];
}

interface Held {
  readonly attempt: Attempt;
  readonly confirmedMs: number;
  readonly concluded?: true;
}

export function heldClaims(): HeldClaims {
  const held = new Map<string, Held>();
  const attempts = (wanted: (one: Held) => boolean): Attempt[] =>
    [...held.values()].filter(wanted).map(({ attempt }) => attempt);
  return {
    get size() {
      return held.size;
    },
    keep: (attempt) => void held.set(attempt.token, { attempt, confirmedMs: performance.now() }),
    conclude(token) {
      const found = held.get(token);
      if (found) held.set(token, { ...found, concluded: true });
    },
    drop: (token) => void held.delete(token),
    sending: () => attempts(({ concluded }) => !concluded),
    forgotten: () =>
      attempts(({ attempt, confirmedMs }) => performance.now() - confirmedMs > 2 * attempt.leaseMs),
  };
}
