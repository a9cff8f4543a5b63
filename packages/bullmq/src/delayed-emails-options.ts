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
import type { When } from './when.ts';

export interface DelayedEmailsOptions<D, K extends Partial<D> = D> {
  /** The one that the workers use. */
  readonly ledger: Ledger;
  /**
   * Which email this is, from the data of its job: the same parts as in `once()`. What it reads of
   * the data is what `cancel()`, `reschedule()` and `status()` need to be given.
   *
   * @example (notice: Pick<Notice, 'orderId' | 'to'>) => ['delivery-notice', notice.orderId, notice.to]
   */
  readonly key: (data: K) => unknown;
  /** The payload that must not change under one key; another one is a `conflict`. */
  readonly fingerprint?: ((data: D) => unknown) | undefined;
  /**
   * Looks at an email before it is scheduled, as the worker will read it: parse it, render its
   * template. It may be async. If it throws, nothing is scheduled.
   */
  readonly check?: ((data: D) => unknown) | undefined;
  /**
   * Records what is scheduled, moved and cancelled, so that an email can be shown before a worker
   * begins with it: the journal of `once()`. A program that ends at once awaits its `flush()`
   * before it closes the client.
   */
  readonly journal?: Journal | undefined;
  /**
   * What people call the email in the journal: as in `once()`.
   *
   * @example (notice) => `order ${notice.orderId}`
   */
  readonly label?: ((data: D) => string) | undefined;
  /** Name of the jobs. @default 'email' */
  readonly name?: string | undefined;
  /** Options of every job: attempts, backoff, priority, removeOnComplete, … */
  readonly job?: EmailJobOptions | undefined;
  /**
   * How long a cancellation is kept after the email was due, in ms.
   * @default 604_800_000 (7 days)
   */
  readonly retentionMs?: number | undefined;
  /** How long ago `at` may be and still mean "now", in ms. @default 60_000 */
  readonly pastToleranceMs?: number | undefined;
}

/**
 * BullMQ's job options without those that say when and under which id: `delayedEmails()` sets
 * these.
 */
export type EmailJobOptions = Omit<JobsOptions, (typeof reservedJobOptions)[number]>;

export interface WhichEmail {
  /**
   * Which one, where the same email was scheduled again on purpose, for example after it had been
   * cancelled: a part of its key. The record of the first one stays.
   */
  readonly occurrence?: string | number | undefined;
}

export type ScheduleOptions = When &
  WhichEmail & {
    /** Options of this job, over those of `delayedEmails()`. */
    readonly job?: EmailJobOptions | undefined;
  };

export interface CancelOptions extends WhichEmail {
  /** Who cancels, for people. Never an address. */
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
const RESCHEDULE_NAMES: OptionNames<When & WhichEmail> = { at: true, delay: true, ...WHICH_NAMES };

/** What each method takes beside the email. */
export const METHOD_OPTION_NAMES = {
  schedule: { ...RESCHEDULE_NAMES, job: true } satisfies OptionNames<ScheduleOptions>,
  reschedule: RESCHEDULE_NAMES,
  cancel: { ...WHICH_NAMES, by: true } satisfies OptionNames<CancelOptions>,
  status: WHICH_NAMES,
  keyOf: WHICH_NAMES,
};

type Method = keyof typeof METHOD_OPTION_NAMES;

/** @throws {OptionError} for a misspelt option, and for a `by` that is no text. */
export function checkMethodOptions(method: Method, options: object | null | undefined): void {
  checkSpelling(`${method}()`, options ?? {}, METHOD_OPTION_NAMES[method]);
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
export function checkDelayedEmails<D, K extends Partial<D>>(
  queue: QueueLike<D>,
  options: DelayedEmailsOptions<D, K>,
): void {
  const methods = ['add', 'getJob', 'toKey'] as const;
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

/** BullMQ puts the defaults of a queue under the options of each job. */
function checkQueueDefaults(queue: object): void {
  const { defaultJobOptions, jobsOpts } = queue as Record<string, object | undefined>;
  const defaults = defaultJobOptions ?? jobsOpts ?? {};
  // The other reserved ones are set for each job, over the defaults.
  const found = (['deduplication', 'debounce', 'parent', 'repeat'] as const).find((name) =>
    Object.hasOwn(defaults, name),
  );
  if (found === undefined) return;
  throw new OptionError(
    `defaultJobOptions.${found}`,
    `Expected the "defaultJobOptions" of the queue without "${found}": an email could be dropped for another ` +
      'one without a word. Use a queue of its own for emails. Nothing was scheduled.',
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
 * BullMQ's options of a job. A new one of another BullMQ version passes: only an option that is almost
 * one of these is taken for a misspelt one.
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
    return;
  }
  throw new OptionError(
    `job.${found}`,
    `Expected "job" without "${found}": the key decides which job it is, "at" or "delay" when. ` +
      'For an email per iteration give once() to the worker and use upsertJobScheduler(). Nothing was scheduled.',
  );
}

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
 * The data as the worker will read it: a Date is a text by then.
 * @throws {OptionError} for what JSON cannot say, or would change without a word.
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

/** JSON would make `null` of NaN, `{}` of a Map, and nothing at all of a function. */
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
