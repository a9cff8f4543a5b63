import type { DispatchMode } from './claim.ts';
import { nowMs } from './clock.ts';
import { isSendonceError, OptionError } from './errors.ts';
import { writeEntry } from './journal.ts';
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
import type { LedgerRecord } from './record.ts';
import { senderOf } from './sender.ts';
import { describe } from './store/check-options.ts';
import { catchRejection, warnOfCallback, warnOnce } from './warn.ts';

type EventDetails = Pick<PerformEvent, 'messageId' | 'note' | 'retryAfterMs'>;

const noDetails: EventDetails = {};

/** What is fixed for one attempt to send one email, and how its steps are reported. */
export class AttemptContext {
  readonly ledger: Ledger;
  readonly attempt: Attempt;
  readonly mode: DispatchMode;
  readonly options: SharedOptions;
  readonly email: EmailOptions;
  /** When the time of the email is over, by `nowMs()`. */
  private readonly overAtMs: number | undefined;
  private unanswered: unknown;

  /** @throws {OptionError} for a key that does not come from `deriveKey()`. */
  constructor(options: SharedOptions, email: EmailOptions, token = createToken()) {
    const { leaseMs = DEFAULT_LEASE_MS, retentionMs = DEFAULT_RETENTION_MS } = options;
    const { key, job, digest, by, fingerprint, notAfterMs } = email;
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
    this.overAtMs = notAfterMs === undefined ? undefined : nowMs() + notAfterMs - Date.now();
    this.attempt = { key, token, leaseMs, retentionMs, job, digest, by, fingerprint };
  }

  /** Whether the time of the email is over: see {@link PerformOptions.notAfterMs}. */
  get isOver(): boolean {
    return this.overAtMs !== undefined && nowMs() > this.overAtMs;
  }

  /** Whether an email in doubt may be performed again, by this or another attempt. */
  get isReplayable(): boolean {
    return this.options.replayWithinMs !== undefined;
  }

  /**
   * The same email once more, under the token that dispatched it: what it sends counts as
   * dispatched.
   */
  forReplay(token: string): AttemptContext {
    const replay = new AttemptContext(this.options, this.email, token);
    return Object.assign(replay, { mode: 'before-processor' as const });
  }

  emit(
    type: PerformEvent['type'],
    { messageId, note, retryAfterMs }: EventDetails = noDetails,
  ): void {
    const { onEvent, key, job, by, label } = this.email;
    const { token } = this.attempt;
    const { journal } = this.options;
    const atMs = Date.now();
    writeEntry(journal, { key, type, atMs, token, job, by, label, messageId, note });
    try {
      const returned: unknown = onEvent?.({
        type,
        key,
        token,
        job,
        by,
        messageId,
        note,
        retryAfterMs,
      });
      catchRejection(returned, warnOfCallback);
    } catch (error) {
      warnOfCallback(error);
    }
  }

  /** A process warning, once for each queue. */
  warn(code: string, message: string): void {
    warnOnce(code, this.attempt.job?.queue ?? '', message);
  }

  /** Notices another email under the same key: it is not sent, and looks like a copy. */
  private compareData(record: LedgerRecord): void {
    const { job, digest } = record;
    const own = this.attempt;
    if (digest === undefined || own.digest === undefined || digest === own.digest) return;
    // A retry of the job itself, whose data were updated meanwhile.
    if (job && job.queue === own.job?.queue && job.id === own.job.id) return;
    this.emit('different-data', { note: senderOf(record) });
    const queue = own.job?.queue ?? '';
    this.warn(
      'SENDONCE_DIFFERENT_DATA',
      `sendonce: a job${queue && ` of the queue "${queue}"`} was treated as a duplicate under the key ${own.key}, and its ` +
        'data, its name or its queue differ from those of the job whose email was sent. Its own email was not sent. If the two are ' +
        'different emails, select what tells them apart in "key". If they are the same one, set ' +
        '"onDifferentData" to "ignore".',
    );
  }

  /** A second request went to the same place while the email was being sent. */
  reportRepeated(host: string): void {
    this.emit('repeated', { note: host });
    this.warn(
      'SENDONCE_REPEATED',
      `sendonce saw a second POST to the same address of ${host} while one email was being sent. A client that ` +
        'repeats requests automatically may have sent the email twice. Switch off its retries, or set ' +
        '"onRepeatedRequest" to "ignore" if these requests send no email.',
    );
  }

  /** The ledger did not answer the claim or the dispatch of this attempt. */
  noteOutage(error: unknown): void {
    if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) this.unanswered = error;
  }

  /** Whether an error is that outage, or was made of it. */
  isOutage(error: unknown): boolean {
    let cause = error;
    for (let depth = 0; depth < 5 && this.unanswered !== undefined; depth++) {
      if (cause === this.unanswered) return true;
      if (!(cause instanceof Error)) return false;
      ({ cause } = cause);
    }
    return false;
  }

  /** Reports how the attempt ended, and returns it. */
  finish<R>(performed: Performed<R>): Performed<R> {
    const { state } = performed;
    if (state === 'duplicate') this.compareData(performed.record);
    if (state === 'in-doubt' || state === 'rejected') {
      const { messageId, note } = performed.record;
      this.emit(state, { messageId, note });
    } else if (state === 'skipped') this.emit(state, { note: performed.reason });
    else if (state !== 'busy' || !this.email.isRepeat) this.emit(state);
    return performed;
  }
}
