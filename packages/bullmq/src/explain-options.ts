import { DEFAULT_LEASE_MS, DEFAULT_RETENTION_MS, memoryLedger, OptionError } from '@sendonce/core';
import {
  checkDuration,
  checkNames,
  checkOneOf,
  checkPerformOptions,
  MINUTE_MS,
  type OptionNames,
  show,
} from '@sendonce/core/ledger';
import type { JobsOptions, WorkerOptions } from 'bullmq';
import { type JobLike, ONCE_OPTION_NAMES, type OnceOptions } from './options.ts';

type OnceSetting =
  | 'leaseMs'
  | 'retentionMs'
  | 'dispatch'
  | 'replayWithinMs'
  | 'onBusy'
  | 'classify'
  | 'resolver'
  | 'testMode';
type JobSetting =
  | 'attempts'
  | 'backoff'
  | 'delay'
  | 'removeOnComplete'
  | 'removeOnFail'
  | 'jobId'
  | 'keepLogs';
type WorkerSetting =
  | 'lockDuration'
  | 'lockRenewTime'
  | 'stalledInterval'
  | 'maxStalledCount'
  | 'maxStartedAttempts';

/**
 * The options of {@link explain}: what you have configured. You may pass the objects that you pass
 * to `once()` and BullMQ. Other options in them are ignored.
 */
export interface ExplainOptions {
  /** The options of `once()`. */
  readonly once?: Pick<OnceOptions<JobLike>, OnceSetting> | undefined;
  /** BullMQ's options of the job. A custom backoff strategy cannot be computed. */
  readonly job?: Pick<JobsOptions, JobSetting> | undefined;
  /** BullMQ's options of the worker. */
  readonly worker?: Pick<WorkerOptions, WorkerSetting> | undefined;
  /**
   * How long one send may take after its dispatch, in milliseconds.
   * @default 600_000 (nodemailer's `socketTimeout`)
   */
  readonly sendTimeoutMs?: number | undefined;
  /**
   * How often the mail client or SDK retries inside one call.
   * @default 0 (as nodemailer)
   */
  readonly sdkRetries?: number | undefined;
}

const OPTION_NAMES: OptionNames<ExplainOptions> = {
  once: true,
  job: true,
  worker: true,
  sendTimeoutMs: true,
  sdkRetries: true,
};

/** A default that {@link explain} assumed, because you gave no value. */
export interface Assumed {
  /** The option, such as `worker.lockDuration`. */
  readonly option: string;
  /** What the default is. */
  readonly value: number | string | boolean;
  /** Whose default it is. */
  readonly source: string;
}

const defaults = {
  once: {
    source: 'once() of @sendonce/bullmq',
    values: {
      leaseMs: DEFAULT_LEASE_MS,
      retentionMs: DEFAULT_RETENTION_MS,
      dispatch: 'before-processor',
      onBusy: 'delay',
    },
  },
  job: {
    source: 'JobsOptions of BullMQ',
    values: { attempts: 1, backoff: 0, delay: 0, removeOnComplete: false, removeOnFail: false },
  },
  worker: {
    source: 'WorkerOptions of BullMQ',
    values: { lockDuration: 30_000, stalledInterval: 30_000, maxStalledCount: 1 },
  },
} as const;

/**
 * How long a sender must at least wait for the reply to the final dot (RFC 5321, section 4.5.3.2),
 * and nodemailer's default.
 */
export const PATIENT_MS = 10 * MINUTE_MS;

/** The options with all defaults filled in. */
export type Settings = ReturnType<typeof fillIn>['settings'];

/** Checks the options and fills in the defaults. @throws {OptionError} that names the option. */
export function fillIn(options: ExplainOptions) {
  checkOptions(options);
  const once = { ...defaults.once.values, ...given(options.once) };
  const job = { ...defaults.job.values, ...given(options.job) };
  const worker = { ...defaults.worker.values, ...given(options.worker) };
  const { sendTimeoutMs = PATIENT_MS, sdkRetries = 0 } = options;
  const settings = {
    ...once,
    ...job,
    ...worker,
    // BullMQ reads 0 as "not given" in these.
    attempts: Math.max(1, job.attempts),
    lockRenewTime: worker.lockRenewTime || worker.lockDuration / 2,
    maxStartedAttempts: worker.maxStartedAttempts || undefined,
    backoff: typeof job.backoff === 'number' ? { type: 'fixed', delay: job.backoff } : job.backoff,
    sendTimeoutMs,
    sdkRetries,
  };
  return { settings, assumed: assumedIn(options) };
}

/** The options of a group that were given: undefined means "not given". */
function given<T extends object>(group: T | undefined): Given<T> {
  const entries = Object.entries(group ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}

type Given<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

function assumedIn(options: ExplainOptions): Assumed[] {
  const inGroups = (['once', 'job', 'worker'] as const).flatMap((group) =>
    Object.entries(defaults[group].values)
      .filter(([name]) => !(name in given<object>(options[group])))
      .map(([name, value]) => ({
        option: `${group}.${name}`,
        value,
        source: defaults[group].source,
      })),
  );
  const { sendTimeoutMs, sdkRetries } = options;
  const nodemailer = [
    ...(sendTimeoutMs === undefined ? [{ option: 'sendTimeoutMs', value: PATIENT_MS }] : []),
    ...(sdkRetries === undefined ? [{ option: 'sdkRetries', value: 0 }] : []),
  ];
  return [...inGroups, ...nodemailer.map((one) => ({ ...one, source: 'nodemailer' }))];
}

function checkOptions(options: ExplainOptions): void {
  checkNames('explain()', options, OPTION_NAMES);
  const { once = {}, job = {}, worker = {}, sendTimeoutMs, sdkRetries } = options;
  checkGroup('once', once);
  checkGroup('job', job);
  checkGroup('worker', worker);
  checkNames('"once"', once, ONCE_OPTION_NAMES);
  // The checks of once(), without the ledger and the key, which are not used here.
  const { leaseMs, retentionMs, dispatch, replayWithinMs, classify, resolver, testMode } = once;
  const timing = { leaseMs, retentionMs, dispatch, replayWithinMs };
  const shared = given({ ...timing, classify, resolver, testMode });
  checkPerformOptions({ ...shared, ledger: memoryLedger() });
  checkOneOf('onBusy', once.onBusy ?? 'delay', ['delay', 'throw']);
  checkJob(job);
  checkWorker(worker);
  if (sendTimeoutMs !== undefined) checkDuration('sendTimeoutMs', sendTimeoutMs);
  checkNumber('sdkRetries', sdkRetries, { whole: true });
}

function checkJob(job: NonNullable<ExplainOptions['job']>): void {
  checkNumber('job.attempts', job.attempts, { whole: true });
  checkNumber('job.delay', job.delay);
  checkNumber('job.keepLogs', job.keepLogs, { whole: true });
  checkKeeping('job.removeOnComplete', job.removeOnComplete);
  checkKeeping('job.removeOnFail', job.removeOnFail);
  checkString('job.jobId', job.jobId);
  const { backoff } = job;
  if (backoff === undefined || typeof backoff === 'number') {
    checkNumber('job.backoff', backoff);
    return;
  }
  checkGroup('job.backoff', backoff);
  if (backoff.type === undefined) refuse('job.backoff.type', 'a string', undefined);
  checkString('job.backoff.type', backoff.type);
  checkNumber('job.backoff.delay', backoff.delay);
  checkNumber('job.backoff.jitter', backoff.jitter, { most: 1 });
}

function checkWorker(worker: NonNullable<ExplainOptions['worker']>): void {
  const { lockDuration, stalledInterval } = worker;
  if (lockDuration !== undefined) checkDuration('worker.lockDuration', lockDuration);
  if (stalledInterval !== undefined) checkDuration('worker.stalledInterval', stalledInterval);
  checkNumber('worker.lockRenewTime', worker.lockRenewTime);
  checkNumber('worker.maxStalledCount', worker.maxStalledCount, { whole: true });
  checkNumber('worker.maxStartedAttempts', worker.maxStartedAttempts, { whole: true });
}

function checkKeeping(option: string, value: JobsOptions['removeOnComplete']): void {
  if (typeof value === 'boolean') return;
  if (value === undefined || typeof value === 'number') {
    // In BullMQ, -1 keeps all jobs.
    if (value !== -1) checkNumber(option, value, { whole: true });
    return;
  }
  checkGroup(option, value);
  checkNumber(`${option}.age`, (value as { age?: number }).age);
  checkNumber(`${option}.count`, value.count, { whole: true });
}

function checkNumber(option: string, value: unknown, { whole = false, most = Infinity } = {}) {
  if (value === undefined) return;
  const right = typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= most;
  if (right && (!whole || Number.isSafeInteger(value))) return;
  const upTo = most === Infinity ? 'from 0' : `from 0 to ${most}`;
  refuse(option, `a ${whole ? 'whole ' : ''}number ${upTo}`, value);
}

function checkString(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') refuse(option, 'a string', value);
}

function checkGroup(option: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  refuse(option, 'an object', value);
}

function refuse(option: string, expected: string, value: unknown): never {
  throw new OptionError(option, `Expected "${option}" to be ${expected}, got ${show(value)}.`);
}
