import { OptionError, UnreadableRecordError } from '../errors.ts';
import type { DispatchMode } from '../claim.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import { createToken, isKey } from '../keys.ts';
import type { Attempt, Ledger } from '../ledger.ts';
import type { LedgerRecord, Loss } from '../record.ts';
import { describe } from '../store/check-options.ts';
import { senderOf } from '../sender.ts';
import { resolveEmail } from '../doubts/resolve-email.ts';
import {
  DEFAULT_LEASE_MS,
  DEFAULT_RETENTION_MS,
  type EmailOptions,
  type Performed,
  type PerformEvent,
  type Resolver,
  type SharedOptions,
} from '../perform-options.ts';

interface Replay {
  readonly token: string;
  readonly untilMs: number;
}

/** One perform(): its attempt and what surrounds it. */
export class Run {
  readonly ledger: Ledger;
  readonly mode: DispatchMode;
  readonly attempt: Attempt;

  readonly options: SharedOptions;
  readonly email: EmailOptions;
  /** A replay: until when it may leave, by `nowMs()`. */
  readonly replayUntilMs: number | undefined;

  /** @throws {OptionError} */
  constructor(options: SharedOptions, email: EmailOptions, replay?: Replay) {
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
    this.replayUntilMs = replay?.untilMs;
    this.mode = replay ? 'before-processor' : (options.dispatch ?? 'before-processor');
    const token = replay?.token ?? createToken();
    this.attempt = { key, token, leaseMs, retentionMs, job, by, fingerprint };
  }

  /** The same email once more, under the token that dispatched it. */
  again(token: string, untilMs: number): Run {
    return new Run(this.options, this.email, { token, untilMs });
  }

  emit(type: PerformEvent['type'], messageId?: string, note?: string): void {
    const { onEvent, key, job, by, label } = this.email;
    const { token } = this.attempt;
    this.options.journal?.write({
      key,
      type,
      atMs: Date.now(),
      token,
      job,
      by,
      label,
      messageId,
      note,
    });
    try {
      onEvent?.({ type, key, token, job, by, messageId, note });
    } catch (error) {
      // A listener must not decide over an email.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}

export function emitState<R>(run: Run, performed: Performed<R>): Performed<R> {
  if (performed.state === 'in-doubt' || performed.state === 'rejected') {
    run.emit(performed.state, performed.record.messageId, performed.record.note);
  } else run.emit(performed.state);
  return performed;
}

/** What losing means for the caller. */
export function lossOf<R>(loss: Loss): Performed<R> {
  switch (loss.state) {
    case 'duplicate':
      return { ...loss, value: parseResult<R>(loss.record) };
    case 'busy':
    case 'in-doubt':
    case 'rejected':
    case 'cancelled':
    case 'conflict':
      return loss;
  }
}

function parseResult<R>(record: LedgerRecord): R | undefined {
  if (record.result === undefined) return undefined;
  try {
    return JSON.parse(record.result) as R;
  } catch {
    throw new UnreadableRecordError(record.key, 'its result is not JSON');
  }
}

/** Asks the resolver and writes its verdict into the ledger. */
export async function resolveDoubt(
  run: Run,
  record: LedgerRecord,
  resolver: Resolver,
  error?: unknown,
): Promise<'sent' | 'not-sent' | 'unknown'> {
  const { key, retentionMs } = run.attempt;
  const by = senderOf(run.attempt) || 'an attempt';
  try {
    const verdict = await resolver(error === undefined ? { record } : { record, error });
    if (verdict !== 'sent' && verdict !== 'not-sent') return 'unknown';
    const { token } = record;
    const means = 'resolver' as const;
    const found = { key, token, verdict, retentionMs, by: `resolver of ${by}`, means };
    const { ledger, options } = run;
    const sources = { ledger, journal: options.journal };
    const { state } = await retryWhileUnavailable(
      () => resolveEmail(sources, found),
      run.attempt.leaseMs,
    );
    return state === 'resolved' ? verdict : 'unknown';
  } catch {
    // The doubt stays listed: that is the answer to a resolver that fails.
    return 'unknown';
  }
}
