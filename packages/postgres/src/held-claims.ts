import type { Attempt } from '@sendonce/core';

/** The claims that this process holds in its session. */
export interface HeldClaims {
  readonly size: number;
  /** The server has just confirmed this claim. */
  confirm(attempt: Attempt): void;
  /** The claim is being settled or released: no email leaves under it any more. */
  markEnding(token: string): void;
  remove(token: string): void;
  /** The attempts whose email may be leaving. */
  active(): Attempt[];
  /** The attempts that were not confirmed for two leases, so their senders no longer send. */
  forgotten(): Attempt[];
}

interface HeldClaim {
  readonly attempt: Attempt;
  readonly confirmedMs: number;
  isEnding: boolean;
}

export function heldClaims(): HeldClaims {
  const claims = new Map<string, HeldClaim>();
  const attemptsThat = (match: (claim: HeldClaim) => boolean): Attempt[] =>
    [...claims.values()].filter(match).map(({ attempt }) => attempt);
  return {
    get size() {
      return claims.size;
    },
    confirm(attempt) {
      claims.set(attempt.token, { attempt, confirmedMs: performance.now(), isEnding: false });
    },
    markEnding(token) {
      const claim = claims.get(token);
      if (claim) claim.isEnding = true;
    },
    remove: (token) => void claims.delete(token),
    active: () => attemptsThat(({ isEnding }) => !isEnding),
    forgotten() {
      const nowMs = performance.now();
      return attemptsThat(({ attempt, confirmedMs }) => nowMs - confirmedMs > 2 * attempt.leaseMs);
    },
  };
}
