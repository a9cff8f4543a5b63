import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '@sendonce/core';
import type { HeartbeatReply } from '@sendonce/core/ledger';
import type { RunOperation } from './batch.ts';
import { type HeldClaims, heldClaims } from './held-claims.ts';
import type { Operation } from './record.ts';

/** The claims of a session, and what renews, reports or releases them. */
export interface SessionClaims {
  readonly held: HeldClaims;
  renew(attempts: readonly Attempt[]): Promise<HeartbeatReply[]>;
  /**
   * Notifies the senders that their session is lost, and renews what they dispatched in a new one.
   */
  renewAfterLoss(): Promise<void>;
  /**
   * Removes claims that are no longer renewed from the session. So a mere claim is released, and a
   * dispatched email is in doubt.
   */
  releaseForgotten(): Promise<void>;
  /** Sets the listener that `notifyLost` calls with the tokens of active claims. */
  onLost(listener: (tokens: readonly string[]) => void): void;
  notifyLost(): void;
}

export interface SessionClaimsOptions {
  readonly run: RunOperation;
  /** Runs operations that no session holds afterwards. */
  readonly runForNoSession: (operations: readonly Operation[]) => Promise<unknown>;
  /** For how long it tries to renew claims after a loss. */
  readonly renewWithinMs: number;
}

export function sessionClaims(options: SessionClaimsOptions): SessionClaims {
  const { run, runForNoSession, renewWithinMs } = options;
  const held = heldClaims();
  let listener = (_tokens: readonly string[]): void => {};

  async function renewOne(attempt: Attempt): Promise<HeartbeatReply> {
    const { status } = await run(heartbeat(attempt));
    if (status === 'kept') {
      held.confirm(attempt);
      return 'kept';
    }
    held.remove(attempt.token);
    return 'lost';
  }

  function renew(attempts: readonly Attempt[]): Promise<HeartbeatReply[]> {
    return Promise.all(attempts.map(renewOne));
  }

  function notifyLost(): void {
    listener(held.active().map(({ token }) => token));
  }

  return {
    held,
    renew,
    notifyLost,
    onLost: (newListener) => void (listener = newListener),
    async renewAfterLoss() {
      notifyLost();
      // Until then their emails are in doubt, and a resolver could find that they were not sent.
      for (let pauseMs = 20; pauseMs < renewWithinMs; pauseMs *= 2) {
        const attempts = held.active();
        if (attempts.length === 0) return;
        const replies = await renew(attempts).catch(() => undefined);
        if (replies) return;
        await sleep(pauseMs, undefined, { ref: false });
      }
    },
    async releaseForgotten() {
      const attempts = held.forgotten();
      if (attempts.length === 0) return;
      await runForNoSession(attempts.map(heartbeat));
      for (const { token } of attempts) held.remove(token);
    },
  };
}

function heartbeat({ key, token }: Attempt): Operation {
  return { verb: 'heartbeat', key, token };
}
