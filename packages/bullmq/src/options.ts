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
 * The few things that the wrapper reads of a BullMQ job; every `Job` of BullMQ 5 and 6 has them. In a
 * unit test `{ data }` is enough.
 */
export interface JobLike {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly queueName?: string | undefined;
  // BullMQ's own default: what is not annotated stays usable.
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

export interface OnceOptions<J extends JobLike> extends Omit<
  PerformOptions,
  | 'key'
  | 'waitMs'
  | 'fingerprint'
  | 'job'
  | 'digest'
  | 'by'
  | 'emailDateMs'
  | 'settleVia'
  | 'label'
  | 'onEvent'
> {
  /**
   * Which email this is: what every copy of the job has in common and no other email has.
   * Computed before the processor runs, so `job.updateData()` changes it for later attempts only.
   * Jobs of a scheduler all have the same data: see `schedulerKey`.
   *
   * @example (job) => ['delivery-notice', job.data.orderId, job.data.to]
   */
  readonly key: (job: J) => unknown;
  /**
   * What `key` means for the jobs of a scheduler (`upsertJobScheduler()`), which all have the same data.
   *
   * `per-iteration`: `once()` adds the iteration, so that each one is an email of its own. `complete`:
   * the key tells the emails apart by itself, for example by the day. Then a renamed scheduler, another
   * `every`, and a job that is added by hand send no second email of that day.
   * @default 'per-iteration'
   */
  readonly schedulerKey?: 'per-iteration' | 'complete' | undefined;
  /** The payload that must not change under one key; another one is a conflict. */
  readonly fingerprint?: ((job: J) => unknown) | undefined;
  /**
   * What people call this email in the journal: an order number. Stored as it is, so no address
   * unless you want that.
   *
   * @example (job) => `order ${job.data.orderId}`
   */
  readonly label?: ((job: J) => string) | undefined;
  /**
   * What a copy does while another attempt is sending: `delay` moves the job a little later and
   * uses up no attempt (but counts as a start: do not combine it with `maxStartedAttempts`);
   * `throw` fails the attempt with BusyError.
   * @default 'delay'
   */
  readonly onBusy?: 'delay' | 'throw' | undefined;
  /**
   * What happens when the ledger does not answer, and surely nothing was sent: `delay` moves the job a
   * little later, each time longer, and uses up no attempt (but counts as a start: do not combine it
   * with `maxStartedAttempts`); `throw` fails the attempt.
   * @default 'delay'
   */
  readonly onUnavailable?: 'delay' | 'throw' | undefined;
  /**
   * What happens when a job is a duplicate, and its data, its name or its queue differ from those of
   * the email that was sent: `warn` gives an event, a line in the job's log and a process warning, once
   * for each queue. A hash of 18 bits of the data is kept in the record for that. `ignore` keeps none.
   * @default 'warn'
   */
  readonly onDifferentData?: 'warn' | 'ignore' | undefined;
  /**
   * Called for every step, synchronously; it may be async. If it fails, that is a process warning.
   */
  readonly onEvent?: ((event: OnceEvent<J>) => unknown) | undefined;
}

/** One step of one email. */
export interface OnceEvent<J extends JobLike> extends Omit<PerformEvent, 'job'> {
  /** BullMQ's job. */
  readonly job: J;
}

/** How often each step happened since this wrapper was made. */
export type OnceCounters = Record<PerformEvent['type'], number>;

export const ONCE_OPTION_NAMES: OptionNames<OnceOptions<JobLike>> = {
  ...SHARED_OPTION_NAMES,
  key: true,
  schedulerKey: true,
  fingerprint: true,
  label: true,
  onBusy: true,
  onUnavailable: true,
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
  // These have another form here, and are checked below.
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
  checkFunction('label', options.label, true);
  if (options.label !== undefined) checkLabelHasJournal(options);
  checkFunction('onEvent', options.onEvent, true);
  checkOneOf('onBusy', options.onBusy ?? 'delay', ['delay', 'throw']);
  checkOneOf('onUnavailable', options.onUnavailable ?? 'delay', ['delay', 'throw']);
  checkOneOf('schedulerKey', options.schedulerKey ?? 'per-iteration', [
    'per-iteration',
    'complete',
  ]);
  checkOneOf('onDifferentData', options.onDifferentData ?? 'warn', ['warn', 'ignore']);
}
