import { OptionError, type PerformEvent, type PerformOptions } from '@sendonce/core';
import {
  checkFunction,
  checkLabelHasJournal,
  checkNames,
  checkOneOf,
  checkPerformOptions,
  describe,
  type OptionNames,
  SHARED_OPTION_NAMES,
} from '@sendonce/core/ledger';

/**
 * The part of a BullMQ job that {@link once} uses. Every `Job` of BullMQ 5 and 6 fits, and in a
 * unit test `{ data }` is enough.
 */
export interface JobLike {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly queueName?: string | undefined;
  // As in BullMQ, so that a processor without annotations compiles.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
  readonly timestamp?: number | undefined;
  readonly attemptsMade?: number | undefined;
  readonly attemptsStarted?: number | undefined;
  readonly opts?:
    | { readonly delay?: number | undefined; readonly keepLogs?: number | undefined }
    | undefined;
  readonly repeatJobKey?: string | undefined;
  log?(row: string): Promise<unknown>;
  moveToDelayed?(timestamp: number, token?: string): Promise<void>;
  promote?(): Promise<unknown>;
}

/** The options of {@link once}, beside those that it shares with {@link perform}. */
export interface OnceOptions<J extends JobLike> extends Omit<
  PerformOptions,
  | 'key'
  | 'waitMs'
  | 'fingerprint'
  | 'job'
  | 'digest'
  | 'by'
  | 'emailDateMs'
  | 'notAfterMs'
  | 'settleVia'
  | 'label'
  | 'onEvent'
> {
  /**
   * Selects which email this is: what every copy of the job has in common and no other email has.
   * Use business identifiers, such as the order and the recipient. It runs before the processor, so
   * `job.updateData()` changes the key of later attempts only. It must not be async. For the jobs
   * of a scheduler, see `schedulerKey`.
   *
   * @example (job) => ['delivery-notice', job.data.orderId, job.data.to]
   */
  readonly key: (job: J) => unknown;
  /**
   * What `key` means for the jobs of a scheduler (`upsertJobScheduler()`), which all have the same
   * data.
   *
   * - `per-iteration`: `once()` adds the iteration to the key, so that each iteration is one email.
   * - `complete`: your key already distinguishes the emails, for example by the day. Then a renamed
   *   scheduler, another `every`, or a job that is added by hand sends no second email of that day.
   * @default 'per-iteration'
   */
  readonly schedulerKey?: 'per-iteration' | 'complete' | undefined;
  /**
   * Selects the payload that must not change under one key. If it differs, the job fails with
   * `KeyConflictError` and sends nothing.
   * @default none
   */
  readonly fingerprint?: ((job: J) => unknown) | undefined;
  /**
   * Selects when the time of the email is over, as a `Date` or in milliseconds since 1970. From
   * then on it is not sent: it is `skipped` with the reason `not-after`, and its job completes
   * without a result. That is decided before the processor runs, and in `at-send` again directly
   * before the email is dispatched, by the clock of the queue's Redis (on another server, by the
   * clock of this machine). A doubt stays a doubt. If `schedule()` was given a `notAfter` as well,
   * the earlier one counts. A value that is no time fails the job with an `OptionError`, and
   * nothing is sent.
   *
   * @default none: an email is sent however late it is
   * @example (job) => new Date(job.data.deliveryDay)
   */
  readonly notAfter?: ((job: J) => Date | number | undefined) | undefined;
  /**
   * Selects what people call this email in the journal, such as an order number. It is stored as it
   * is, up to 200 characters. Without `journal` it is an `OptionError`.
   *
   * @default none
   * @example (job) => `order ${job.data.orderId}`
   */
  readonly label?: ((job: J) => string) | undefined;
  /**
   * What a copy does while another attempt is sending.
   *
   * - `delay`: moves the job to delayed for at most one lease. That uses up no attempt, but counts
   *   as a start: do not combine it with `maxStartedAttempts`.
   * - `throw`: fails the attempt with `BusyError`.
   * @default 'delay'
   */
  readonly onBusy?: 'delay' | 'throw' | undefined;
  /**
   * What a job does if the ledger does not answer and certainly nothing was sent.
   *
   * - `delay`: moves the job to delayed, each time for longer, up to 15 s. That uses up no attempt,
   *   but counts as a start: do not combine it with `maxStartedAttempts`.
   * - `throw`: fails the attempt.
   * @default 'delay'
   */
  readonly onUnavailable?: 'delay' | 'throw' | undefined;
  /**
   * What a job does if the mail server or the provider refused its email for now and said how long
   * to wait (`Retry-After`): a report with `retryAfterMs`, or an error with it that is refused.
   * Without such a time it is always `throw`, also for a 4xx reply of SMTP.
   *
   * - `throw`: fails the attempt. BullMQ's `attempts` and `backoff` decide when it runs again.
   * - `delay`: moves the job to delayed for that time, at most one day and at least 250 ms. That
   *   uses up no attempt, so a provider that refuses for ever delays the job for ever: the job's
   *   log has a line for each time, the counter `released` counts them, and `notAfter` ends it. It
   *   counts as a start: do not combine it with `maxStartedAttempts`.
   * - `rate-limit`: the same, and the queue is paused for that time by `worker.rateLimit()`, for
   *   all workers that have BullMQ's option `limiter`.
   * @default 'throw'
   */
  readonly onRefused?: 'throw' | 'delay' | 'rate-limit' | undefined;
  /**
   * What happens if a job is a duplicate, and its data, its name or its queue differ from those of
   * the job that sent the email.
   *
   * - `warn`: emits an event, writes a line to the job's log, and emits a process warning once per
   *   queue. The record keeps a hash of 18 bits of the data for that.
   * - `ignore`: keeps no hash and does nothing.
   * @default 'warn'
   */
  readonly onDifferentData?: 'warn' | 'ignore' | undefined;
  /**
   * Called for every step. If it throws or rejects, a process warning is emitted and the email is
   * not affected. It is not awaited.
   * @default none
   */
  readonly onEvent?:
    | ((event: OnceEvent<J>) => void)
    | ((event: OnceEvent<J>) => Promise<void>)
    | undefined;
}

/** One step of one email, as `onEvent` of {@link once} gets it. */
export interface OnceEvent<J extends JobLike> extends Omit<PerformEvent, 'job'> {
  /** The BullMQ job. */
  readonly job: J;
}

/** How often each step happened since the call of {@link once}. */
export type OnceCounters = Record<PerformEvent['type'], number>;

export const ONCE_OPTION_NAMES: OptionNames<OnceOptions<JobLike>> = {
  ...SHARED_OPTION_NAMES,
  key: true,
  schedulerKey: true,
  fingerprint: true,
  notAfter: true,
  label: true,
  onBusy: true,
  onUnavailable: true,
  onRefused: true,
  onDifferentData: true,
  onEvent: true,
};

/** @throws {OptionError} */
export function checkOnceOptions<J extends JobLike>(options: OnceOptions<J>): void {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(
      'options',
      `Expected options such as { ledger, key: (job) => [...] }, got ${describe(options)}.`,
    );
  }
  checkNames('once()', options, ONCE_OPTION_NAMES);
  // These differ from the options of perform(), and are checked below.
  const { key: _, fingerprint: __, label: ___, onEvent: ____, ...shared } = options;
  checkPerformOptions(shared);
  if (options.key === undefined) {
    throw new OptionError(
      'key',
      'Expected "key" to be a function that selects what makes this email one email, such as ' +
        '(job) => ["delivery-notice", job.data.orderId, job.data.to]; got undefined.',
    );
  }
  checkFunction('key', options.key);
  checkFunction('fingerprint', options.fingerprint, true);
  checkFunction('notAfter', options.notAfter, true);
  checkFunction('label', options.label, true);
  if (options.label !== undefined) checkLabelHasJournal(options);
  checkFunction('onEvent', options.onEvent, true);
  checkOneOf('onBusy', options.onBusy ?? 'delay', ['delay', 'throw']);
  checkOneOf('onUnavailable', options.onUnavailable ?? 'delay', ['delay', 'throw']);
  checkOneOf('onRefused', options.onRefused ?? 'throw', ['throw', 'delay', 'rate-limit']);
  checkOneOf('schedulerKey', options.schedulerKey ?? 'per-iteration', [
    'per-iteration',
    'complete',
  ]);
  checkOneOf('onDifferentData', options.onDifferentData ?? 'warn', ['warn', 'ignore']);
}
