import { DEFAULT_RETENTION_MS, type Journal, type Ledger, OptionError } from '@sendonce/core';
import {
  checkDuration,
  checkFunction,
  checkJournal,
  checkLabelHasJournal,
  checkLedger,
  checkNames,
  checkSpelling,
  checkText,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import type { JobsOptions } from 'bullmq';
import type { QueueLike } from './email-jobs.ts';
import type { NotAfter, When } from './when.ts';

/**
 * The options of {@link delayedEmails}. `D` is the data of a job, `K` the part of it that `key`
 * reads.
 */
export interface DelayedEmailsOptions<D, K extends Partial<D> = D> {
  /** The ledger that the workers use. */
  readonly ledger: Ledger;
  /**
   * Selects which email this is, from the data of its job: the same parts as `key` of {@link once}.
   * `cancel()`, `reschedule()` and `status()` need only the fields that it reads.
   *
   * @example ({ orderId, to }: Pick<Notice, 'orderId' | 'to'>) => ['delivery-notice', orderId, to]
   */
  readonly key: (data: K) => unknown;
  /**
   * Selects the payload that must not change under one key. If it differs, `schedule()` answers
   * `conflict` and schedules nothing.
   * @default none
   */
  readonly fingerprint?: ((data: D) => unknown) | undefined;
  /**
   * Checks an email before it is scheduled, for example by parsing it or rendering its template. It
   * gets the data as the worker will read them. If it throws or rejects, `schedule()` rejects with
   * that error and nothing is scheduled.
   *
   * @default none
   * @example (notice) => checkAddress(notice.to)
   */
  readonly check?: ((data: D) => void) | ((data: D) => Promise<void>) | undefined;
  /**
   * Keeps what was scheduled, rescheduled and cancelled, and by whom: the journal of {@link once}.
   * If your program ends right after a call, await `journal.flush()` before you close the client.
   * @default none
   */
  readonly journal?: Journal | undefined;
  /**
   * Selects what people call the email, such as an order number. It is stored in the journal as it
   * is, up to 200 characters. Without `journal` it is an `OptionError`.
   *
   * @default none
   * @example (notice) => `order ${notice.orderId}`
   */
  readonly label?: ((data: D) => string) | undefined;
  /** The name of the jobs. @default 'email' */
  readonly name?: string | undefined;
  /**
   * BullMQ's options of every job: `attempts`, `backoff`, `priority`, `removeOnComplete` and
   * others. A misspelt one is an `OptionError`.
   * @default BullMQ's defaults: one attempt
   */
  readonly job?: EmailJobOptions | undefined;
  /**
   * How long a cancellation is kept after the email was due, in milliseconds.
   * @default 604_800_000 (7 days)
   */
  readonly retentionMs?: number | undefined;
  /**
   * How long ago `at` may be and still mean "now", in milliseconds. An earlier `at` is an
   * `OptionError`.
   * @default 60_000 (1 minute)
   */
  readonly pastToleranceMs?: number | undefined;
}

/**
 * BullMQ's options of a job, without those that {@link delayedEmails} sets: the id, the time, and
 * what could drop an email for another one.
 */
export type EmailJobOptions = Omit<JobsOptions, (typeof reservedJobOptions)[number]>;

/** Which email, if one was scheduled again on purpose. */
export interface WhichEmail {
  /**
   * Makes another email of the same data, for example to send one again that was cancelled. It
   * becomes a part of the key. The record of the first email stays.
   * @default none
   */
  readonly occurrence?: string | number | undefined;
}

/** The options of `reschedule()`: when, until when, and which email. */
export type RescheduleOptions = When & NotAfter & WhichEmail;

/** The options of `schedule()`: when, until when, which email, and the options of its job. */
export type ScheduleOptions = When &
  NotAfter &
  WhichEmail & {
    /** BullMQ's options of this job. They override those of {@link delayedEmails}. */
    readonly job?: EmailJobOptions | undefined;
  };

/** The options of `cancel()`. */
export interface CancelOptions extends WhichEmail {
  /**
   * The person or program that cancels, for people. It is stored as it is, so do not use an
   * address. @default none
   */
  readonly by?: string | undefined;
}

export const DEFAULT_PAST_TOLERANCE_MS = 60_000;

const OPTION_NAMES: OptionNames<DelayedEmailsOptions<unknown>> = {
  ledger: true,
  key: true,
  fingerprint: true,
  check: true,
  journal: true,
  label: true,
  name: true,
  job: true,
  retentionMs: true,
  pastToleranceMs: true,
};

const WHICH_NAMES: OptionNames<WhichEmail> = { occurrence: true };
const RESCHEDULE_NAMES: OptionNames<RescheduleOptions> = {
  at: true,
  delay: true,
  notAfter: true,
  ...WHICH_NAMES,
};

/** The options of each method. */
export const METHOD_OPTION_NAMES = {
  schedule: { ...RESCHEDULE_NAMES, job: true } satisfies OptionNames<ScheduleOptions>,
  reschedule: RESCHEDULE_NAMES,
  cancel: { ...WHICH_NAMES, by: true } satisfies OptionNames<CancelOptions>,
  status: WHICH_NAMES,
  keyOf: WHICH_NAMES,
};

type Method = keyof typeof METHOD_OPTION_NAMES;

/** @throws {OptionError} for an unknown option, and for a `by` that is no text. */
export function checkMethodOptions(method: Method, options: object | null | undefined): void {
  checkNames(`${method}()`, options ?? {}, METHOD_OPTION_NAMES[method]);
  if (method === 'cancel') checkText('by', (options as CancelOptions | undefined)?.by);
}

/**
 * Checks the list that a bulk method is given; `field` is what each of its objects must have.
 * @throws {OptionError} before anything is done.
 */
export function checkList(method: string, list: unknown, field?: 'data' | 'email'): void {
  const shape =
    field === undefined
      ? 'a list of emails (data or keys)'
      : `a list such as [{ ${field}, at: new Date(…) }]`;
  if (!Array.isArray(list)) {
    throw new OptionError(
      'emails',
      `Expected "emails" of ${method}() to be ${shape}, got ${describe(list)}. Nothing was done.`,
    );
  }
  if (field === undefined) return;
  for (const [index, item] of (list as unknown[]).entries()) {
    if (typeof item === 'object' && item !== null && Object.hasOwn(item, field)) continue;
    const got = typeof item === 'object' && item !== null ? 'an object without it' : describe(item);
    throw new OptionError(
      `emails[${index}]`,
      `Expected "emails[${index}]" of ${method}() to be an object with "${field}", got ${got}. Nothing was done.`,
    );
  }
}

/** @throws {OptionError} */
/** @throws {OptionError} for what cannot be iterated. */
export function checkIterable(method: string, emails: unknown): void {
  const isIterable =
    typeof emails === 'object' &&
    emails !== null &&
    (Symbol.iterator in emails || Symbol.asyncIterator in emails);
  if (isIterable) return;
  throw new OptionError(
    'emails',
    `Expected "emails" of ${method}() to be a list, a generator or a stream of { data, at }, got ${describe(emails)}. ` +
      'Nothing was done.',
  );
}

export function checkDelayedEmails<D, K extends Partial<D>>(
  queue: QueueLike<D>,
  options: DelayedEmailsOptions<D, K>,
): void {
  const methods = ['add', 'addBulk', 'getJob', 'toKey'] as const;
  if (!methods.every((method) => typeof queue?.[method] === 'function')) {
    throw new OptionError(
      'queue',
      `Expected "queue" to be a BullMQ Queue, got ${describe(queue)}.`,
    );
  }
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(
      'options',
      `Expected options such as { ledger, key: (data) => [...] }, got ${describe(options)}.`,
    );
  }
  checkNames('delayedEmails()', options, OPTION_NAMES);
  checkLedger(options.ledger);
  checkFunction('key', options.key);
  checkFunction('fingerprint', options.fingerprint, true);
  checkFunction('check', options.check, true);
  checkFunction('label', options.label, true);
  if (options.journal !== undefined) checkJournal(options.journal);
  if (options.label !== undefined) checkLabelHasJournal(options);
  const { name = 'email' } = options;
  if (typeof name !== 'string' || name === '') {
    throw new OptionError('name', `Expected "name" to name the jobs, got ${describe(name)}.`);
  }
  checkDuration('retentionMs', options.retentionMs ?? DEFAULT_RETENTION_MS);
  checkDuration('pastToleranceMs', options.pastToleranceMs ?? DEFAULT_PAST_TOLERANCE_MS);
  checkJobOptions(options.job);
  checkQueueDefaults(queue);
}

/** BullMQ applies the defaults of a queue to each job that does not override them. */
function checkQueueDefaults(queue: object): void {
  const { defaultJobOptions, jobsOpts } = queue as Record<string, object | undefined>;
  const defaults = defaultJobOptions ?? jobsOpts ?? {};
  // The other reserved options are set for each job and override the defaults.
  const found = (['deduplication', 'debounce', 'parent', 'repeat'] as const).find((name) =>
    Object.hasOwn(defaults, name),
  );
  if (found === undefined) return;
  throw new OptionError(
    `defaultJobOptions.${found}`,
    `Expected the "defaultJobOptions" of the queue without "${found}": BullMQ could drop one email for another. ` +
      'Nothing was scheduled. Use a separate queue for emails.',
  );
}

const reservedJobOptions = [
  'jobId',
  'delay',
  'timestamp',
  'repeat',
  'deduplication',
  'debounce',
  'parent',
  'sendonce',
] as const;

/**
 * BullMQ's options of a job. A new one of another BullMQ version passes: only an option that is
 * almost one of these counts as a misspelt one.
 */
const JOB_OPTION_NAMES: OptionNames<JobsOptions> = {
  timestamp: true,
  priority: true,
  delay: true,
  attempts: true,
  backoff: true,
  lifo: true,
  removeOnComplete: true,
  removeOnFail: true,
  keepLogs: true,
  stackTraceLimit: true,
  sizeLimit: true,
  repeatJobKey: true,
  jobId: true,
  parent: true,
  prevMillis: true,
  deduplication: true,
  failParentOnFailure: true,
  continueParentOnFailure: true,
  ignoreDependencyOnFailure: true,
  removeDependencyOnFailure: true,
  telemetry: true,
};

/** @throws {OptionError} for an option that is reserved, and for a misspelt one. */
export function checkJobOptions(job: object = {}): void {
  if (typeof job !== 'object' || job === null || Array.isArray(job)) {
    throw new OptionError(
      'job',
      `Expected "job" to be BullMQ's options of a job, got ${describe(job)}. Nothing was scheduled.`,
    );
  }
  const found = reservedJobOptions.find((name) => Object.hasOwn(job, name));
  if (found === undefined) {
    checkSpelling('"job"', job, JOB_OPTION_NAMES);
    checkPriority((job as JobsOptions).priority);
    return;
  }
  throw new OptionError(
    `job.${found}`,
    `Expected "job" without "${found}": the key decides the job, and "at" or "delay" decides when it runs. ` +
      'Nothing was scheduled. For one email per iteration, use upsertJobScheduler() and wrap the processor in once().',
  );
}

/**
 * BullMQ checks it as well, but only when it adds the job: then other emails of a list are
 * scheduled already.
 */
function checkPriority(priority: unknown = 0): void {
  const isValid = Number.isInteger(priority) && Number(priority) >= 0;
  if (isValid && Number(priority) <= MAX_PRIORITY) return;
  throw new OptionError(
    'job.priority',
    `Expected "priority" to be an integer from 0 to ${MAX_PRIORITY}, got ${describe(priority)}. Nothing was scheduled.`,
  );
}

/** https://docs.bullmq.io/guide/jobs/prioritized */
const MAX_PRIORITY = 2 ** 21 - 1;

/** @throws {OptionError} */
export function checkOccurrence(occurrence: unknown): void {
  if (occurrence === undefined || (typeof occurrence === 'string' && occurrence !== '')) return;
  if (typeof occurrence === 'number' && Number.isFinite(occurrence)) return;
  throw new OptionError(
    'occurrence',
    `Expected "occurrence" to be a non-empty string or a number, got ${describe(occurrence)}.`,
  );
}

/**
 * The data as the worker will read them, after JSON: a Date has become a string.
 * @throws {OptionError} for data that JSON cannot keep or would change silently.
 */
export function storedData<T>(data: T): T {
  let json: string | undefined;
  try {
    json = JSON.stringify(data, refuseLossy);
  } catch (cause) {
    const isLossy = cause instanceof LossyValueError;
    throw unserialisable(isLossy ? cause.message : 'is not JSON (a BigInt, a cycle?)');
  }
  if (json === undefined) throw unserialisable(`is ${describe(data)}`);
  return JSON.parse(json) as T;
}

/** JSON turns NaN into `null` and a Map into `{}`, and leaves out a function. */
function refuseLossy(name: string, value: unknown): unknown {
  const lossy =
    (typeof value === 'number' && !Number.isFinite(value)) ||
    typeof value === 'function' ||
    typeof value === 'symbol' ||
    value instanceof Map ||
    value instanceof Set;
  if (!lossy) return value;
  throw new LossyValueError(`has "${name}", which JSON cannot keep`);
}

class LossyValueError extends Error {}

function unserialisable(why: string): OptionError {
  return new OptionError(
    'data',
    `Expected "data" to be plain JSON, but it ${why}. Nothing was scheduled. Convert it to strings, ` +
      'numbers, lists and plain objects first.',
  );
}
