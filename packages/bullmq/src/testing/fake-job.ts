import { OptionError } from '@sendonce/core';
import { checkNames, describe, type OptionNames } from '@sendonce/core/ledger';
import type { Job, JobsOptions } from 'bullmq';

/** The options of {@link fakeJob}: what the job is made of. */
export interface FakeJobOptions<D, N extends string = string> {
  /**
   * What your processor reads as `job.data`. It is copied by JSON, as Redis keeps it: a `Date`
   * becomes a string.
   */
  readonly data: D;
  /** @default 'job' */
  readonly name?: N | undefined;
  /** @default the next number: each fake job is another one */
  readonly id?: string | undefined;
  /** @default 'queue' */
  readonly queueName?: string | undefined;
  /** BullMQ's options of the job, such as `attempts`. @default {} */
  readonly opts?: JobsOptions | undefined;
  /** When the job was added, in ms since 1970. @default Date.now() */
  readonly timestamp?: number | undefined;
  /** How many attempts have ended. @default 0 */
  readonly attemptsMade?: number | undefined;
  /** How often the job has been started. @default `attemptsMade` */
  readonly attemptsStarted?: number | undefined;
  /** How often the job has stalled. @default 0 */
  readonly stalledCounter?: number | undefined;
  /** Of a job that a scheduler made. @default none */
  readonly repeatJobKey?: string | undefined;
}

/**
 * What {@link fakeJob} returns. It has the fields of a `Job` of BullMQ, and the methods `log`,
 * `updateProgress`, `updateData`, `moveToDelayed`, `moveToWait`, `moveToWaitingChildren` and
 * `extendLock`. Add others with `Object.assign()`, such as `getChildrenValues`.
 */
// As in BullMQ's own Job.
// oxlint-disable-next-line typescript/no-explicit-any
export interface FakeJob<D = any, R = any, N extends string = string> extends Job<D, R, N> {
  /** The lines that the processor and `once()` have written. */
  readonly logs: readonly string[];
  /** Where the processor, or `once()`, has moved the job in this run. */
  readonly movedTo: 'delayed' | 'waiting' | 'waiting-children' | undefined;
  /** Until when the job is delayed, in ms since 1970, if it was moved to delayed in this run. */
  readonly delayedUntilMs: number | undefined;
}

const OPTION_NAMES: OptionNames<FakeJobOptions<unknown>> = {
  data: true,
  name: true,
  id: true,
  queueName: true,
  opts: true,
  timestamp: true,
  attemptsMade: true,
  attemptsStarted: true,
  stalledCounter: true,
  repeatJobKey: true,
};

let lastId = 0;

/**
 * A job for a unit test, as BullMQ would give it to a processor, without Redis. It waits: pass it
 * to {@link runJob}, or to the processor itself.
 * @throws {OptionError} for an unknown option, and for data that are not JSON.
 *
 * @example
 * const job = fakeJob({ data: { orderId: 7, to: 'ada@example.org' }, opts: { attempts: 3 } });
 * const run = await runJob(processor, job);
 */
// oxlint-disable-next-line typescript/no-explicit-any
export function fakeJob<D, R = any, N extends string = string>(
  options: FakeJobOptions<D, N>,
): FakeJob<D, R, N> {
  checkNames('fakeJob()', options, OPTION_NAMES);
  const { attemptsMade = 0, opts = {}, timestamp = Date.now() } = options;
  const logs: string[] = [];

  const job = {
    id: options.id ?? String((lastId += 1)),
    name: options.name ?? 'job',
    queueName: options.queueName ?? 'queue',
    data: copyData(options.data),
    opts: { attempts: 0, ...opts },
    delay: opts.delay ?? 0,
    priority: opts.priority ?? 0,
    progress: 0,
    timestamp,
    attemptsMade,
    attemptsStarted: options.attemptsStarted ?? attemptsMade,
    stalledCounter: options.stalledCounter ?? 0,
    repeatJobKey: options.repeatJobKey,
    returnvalue: null,
    stacktrace: [],
    logs,
    movedTo: undefined as FakeJob['movedTo'],
    delayedUntilMs: undefined as number | undefined,

    async log(row: string) {
      logs.push(row);
      const { keepLogs = Infinity } = opts;
      logs.splice(0, logs.length - keepLogs);
      return logs.length;
    },
    async updateProgress(progress: unknown) {
      Object.assign(job, { progress });
    },
    async updateData(data: D) {
      job.data = copyData(data);
    },
    async moveToDelayed(untilMs: number) {
      job.movedTo = 'delayed';
      job.delayedUntilMs = untilMs;
    },
    async moveToWait() {
      job.movedTo = 'waiting';
      return 0;
    },
    async moveToWaitingChildren() {
      job.movedTo = 'waiting-children';
      return true;
    },
    async extendLock() {
      return 1;
    },
  };
  // A Job also has what needs Redis.
  return job as unknown as FakeJob<D, R, N>;
}

/** As Redis keeps the data. */
function copyData<D>(data: D): D {
  try {
    return data === undefined ? ({} as D) : (JSON.parse(JSON.stringify(data)) as D);
  } catch {
    throw new OptionError(
      'data',
      `Expected "data" of a job to be JSON, got ${describe(data)} that cannot be written as JSON: a BigInt or a cycle? ` +
        'BullMQ would refuse it when the job is added.',
    );
  }
}
