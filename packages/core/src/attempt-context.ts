import type { DispatchMode } from './claim.ts';
import { OptionError } from './errors.ts';
import { createToken, isKey } from './keys.ts';
import type { Attempt, Ledger } from './ledger.ts';
import {
  DEFAULT_LEASE_MS,
  DEFAULT_RETENTION_MS,
  type EmailOptions,
  type Performed,
  type PerformEvent,
  type SharedOptions,
} from './perform-options.ts';
import { describe } from './store/check-options.ts';

/** What is fixed for one attempt to send one email, and how its steps are reported. */
export class AttemptContext {
  readonly ledger: Ledger;
  readonly attempt: Attempt;
  readonly mode: DispatchMode;
  readonly options: SharedOptions;
  readonly email: EmailOptions;

  /** @throws {OptionError} for a key that does not come from `deriveKey()`. */
  constructor(options: SharedOptions, email: EmailOptions, token = createToken()) {
    const { leaseMs = DEFAULT_LEASE_MS, retentionMs = DEFAULT_RETENTION_MS } = options;
    const { key, job, by, fingerprint } = email;
    if (!isKey(key)) {
      throw new OptionError(
        'key',
        `Expected "key" to come from deriveKey(), got ${describe(key)}.`,
      );
    }
    this.ledger = options.ledger;
    this.options = options;
    this.email = email;
    this.mode = options.dispatch ?? 'before-processor';
    this.attempt = { key, token, leaseMs, retentionMs, job, by, fingerprint };
  }

  /** Whether an email in doubt may be performed again, by this or another attempt. */
  get isReplayable(): boolean {
    return this.options.replayWithinMs !== undefined;
  }

  /** The same email once more, under the token that dispatched it: what it sends counts as dispatched. */
  forReplay(token: string): AttemptContext {
    const replay = new AttemptContext(this.options, this.email, token);
    return Object.assign(replay, { mode: 'before-processor' as const });
  }

  emit(type: PerformEvent['type'], messageId?: string, note?: string): void {
    const { onEvent, key, job, by, label } = this.email;
    const { token } = this.attempt;
    const { journal } = this.options;
    journal?.write({ key, type, atMs: Date.now(), token, job, by, label, messageId, note });
    try {
      const returned: unknown = onEvent?.({ type, key, token, job, by, messageId, note });
      if (isThenable(returned)) returned.then(undefined, warnOfListener);
    } catch (error) {
      warnOfListener(error);
    }
  }

  /** Reports how the attempt ended, and returns it. */
  finish<R>(performed: Performed<R>): Performed<R> {
    const { state } = performed;
    if (state === 'in-doubt' || state === 'rejected') {
      this.emit(state, performed.record.messageId, performed.record.note);
    } else if (state === 'skipped') this.emit(state, undefined, performed.reason);
    else this.emit(state);
    return performed;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** A listener that fails must not decide over an email. */
function warnOfListener(error: unknown): void {
  try {
    process.emitWarning(error instanceof Error ? error : String(error));
  } catch {
    process.emitWarning('An onEvent listener failed, with an error that cannot be shown.');
  }
}
