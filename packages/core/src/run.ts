import { OptionError, UnreadableRecordError } from './errors.ts';
import type { DispatchMode } from './claim.ts';
import { differingFields } from './fingerprint.ts';
import { insist } from './insist.ts';
import { createToken } from './keys.ts';
import type { Attempt, Ledger, LedgerRecord, Loss } from './ledger.ts';
import { describe } from './options.ts';
import { resolveEmail } from './resolve-email.ts';
import {
  DEFAULT_LEASE_MS,
  DEFAULT_RETENTION_MS,
  type EmailOptions,
  type Performed,
  type PerformEvent,
  type Resolver,
  type SharedOptions,
} from './perform-options.ts';

/** The note of a doubt whose own sender found out, too late to give it back, that nothing was sent. */
export const KNOWN_NOT_SENT = 'SENDONCE_LATE_NOT_SENT';

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
    const { key, by, fingerprint } = email;
    if (typeof key !== 'string' || !/^[\w-]{22}$/.test(key)) {
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
    this.attempt = { key, token, leaseMs, retentionMs, by, fingerprint };
  }

  /** The same email once more, under the token that dispatched it. */
  again(token: string, untilMs: number): Run {
    return new Run(this.options, this.email, { token, untilMs });
  }

  emit(type: PerformEvent['type'], messageId?: string, note?: string): void {
    const { onEvent, key, by, label } = this.email;
    const { token } = this.attempt;
    this.options.journal?.write({ key, type, atMs: Date.now(), token, by, label, messageId, note });
    try {
      onEvent?.({ type, key, token, by, messageId, note });
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
export function lossOf<R>(loss: Loss, run: Run): Performed<R> {
  const { record } = loss;
  switch (loss.state) {
    case 'duplicate':
      if (record.state === 'rejected') return { state: 'rejected', record };
      return { state: 'duplicate', record, value: parseResult<R>(record) };
    case 'busy':
      return { state: 'busy', retryAfterMs: loss.retryAfterMs };
    case 'in-doubt':
    case 'cancelled':
      return { state: loss.state, record };
    case 'conflict': {
      const fields = differingFields(record.fingerprint ?? '', run.attempt.fingerprint ?? '');
      return { state: 'conflict', fields, record };
    }
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
  const { key, retentionMs, by = 'an attempt' } = run.attempt;
  try {
    const verdict = await resolver(error === undefined ? { record } : { record, error });
    if (verdict !== 'sent' && verdict !== 'not-sent') return 'unknown';
    const { token } = record;
    const means = 'resolver' as const;
    const found = { key, token, verdict, retentionMs, by: `resolver of ${by}`, means };
    const { ledger, options } = run;
    const sources = { ledger, journal: options.journal };
    const { state } = await insist(() => resolveEmail(sources, found), run.attempt.leaseMs);
    return state === 'resolved' ? verdict : 'unknown';
  } catch {
    // The doubt stays listed: that is the answer to a resolver that fails.
    return 'unknown';
  }
}
