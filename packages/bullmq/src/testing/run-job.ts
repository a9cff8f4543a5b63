import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import { controlFlowName } from '../control-flow.ts';
import type { ProcessorOf } from '../once.ts';
import type { FakeJob } from './fake-job.ts';

/** The options of {@link runJob}. */
export interface RunJobOptions {
  /**
   * What a processor with three parameters gets, as by `worker.cancelJob()`.
   * @default a signal that is never aborted
   */
  readonly signal?: AbortSignal | undefined;
}

/** What a worker would have done with the job. See {@link runJob}. */
export interface JobRun<R> {
  /**
   * - `completed`: it has `value`.
   * - `retried`: it failed with `error`, and BullMQ would run it again.
   * - `failed`: it failed with `error` permanently: no attempts are left, or the error is an
   *   `UnrecoverableError`.
   * - `delayed`, `waiting`, `waiting-children`: it was moved there, which uses up no attempt.
   */
  readonly state: 'completed' | 'retried' | 'failed' | 'delayed' | 'waiting' | 'waiting-children';
  /** What the processor returned. */
  readonly value: R | undefined;
  /** What the processor threw. */
  readonly error: (Error & { readonly code?: string | undefined }) | undefined;
}

/** How each error of BullMQ's control flow needs the job to be moved before it is thrown. */
const moves: Readonly<Record<string, FakeJob['movedTo']>> = {
  DelayedError: 'delayed',
  WaitingError: 'waiting',
  WaitingChildrenError: 'waiting-children',
};

/**
 * Runs a processor once, as a worker would, and says what the worker would do with the job. The
 * error of a processor is in the result and is not thrown. It waits for no delay and no backoff.
 * @throws {Error} where a real worker would lose track of the job: it was moved and its processor
 *   returned, or threw `DelayedError` without moving it.
 *
 * @example
 * const run = await runJob(processor, fakeJob({ data, opts: { attempts: 3 } }));
 * assert.equal(run.state, 'failed');
 * assert.equal(run.error?.code, 'SENDONCE_IN_DOUBT');
 */
export async function runJob<J extends FakeJob, R>(
  processor: ProcessorOf<J, R>,
  job: J,
  options: RunJobOptions = {},
): Promise<JobRun<R>> {
  checkNames('runJob()', options, { signal: true } satisfies OptionNames<RunJobOptions>);
  const { signal = new AbortController().signal } = options;
  const token = `fake-worker:${(lastRun += 1)}`;
  const attemptsStarted = job.attemptsStarted + 1;
  const started = { processedOn: Date.now(), movedTo: undefined, delayedUntilMs: undefined };
  Object.assign(job, { ...started, attemptsStarted, token });
  let value: R;
  try {
    value = await (processor.length < 3 ? processor(job, token) : processor(job, token, signal));
    // A worker stores the result, and fails the job of one that is not JSON.
    JSON.stringify(value);
  } catch (error) {
    return afterError(job, error);
  }
  if (job.movedTo) {
    throw new Error(
      `The processor moved its job to ${job.movedTo} and returned. A worker would fail to complete the job. ` +
        "Throw BullMQ's error after the move, such as DelayedError.",
    );
  }
  const attemptsMade = job.attemptsMade + 1;
  Object.assign(job, { attemptsMade, finishedOn: Date.now(), returnvalue: value });
  return { state: 'completed', value, error: undefined };
}

let lastRun = 0;

function afterError(job: FakeJob, thrown: unknown): JobRun<never> {
  const error = thrown as JobRun<never>['error'];
  const run = { value: undefined, error };
  const flow = controlFlowName(error);
  if (flow !== undefined) {
    const state = moves[flow] ?? 'waiting';
    if (moves[flow] === undefined || job.movedTo === state) return { ...run, state };
    throw new Error(
      `The processor threw ${flow} and has not moved its job to ${state}. A worker would keep the job active until ` +
        'it stalls. Move the job before you throw.',
    );
  }
  const attemptsMade = job.attemptsMade + 1;
  Object.assign(job, { attemptsMade, failedReason: error?.message });
  const isLast = attemptsMade >= (job.opts.attempts ?? 0) || error?.name === 'UnrecoverableError';
  if (isLast) Object.assign(job, { finishedOn: Date.now() });
  return { ...run, state: isLast ? 'failed' : 'retried' };
}

const MOST_RUNS = 100;

/**
 * Runs jobs at the same time, as many workers would. Then those that were retried, delayed or moved
 * to waiting run again, until all jobs have completed or failed. It waits for no delay and no
 * backoff. The result has the last run of each job.
 * @throws {Error} for a job that has not ended after 100 runs, and as {@link runJob}.
 *
 * @example
 * const copies = Array.from({ length: 32 }, () => fakeJob({ data: notice }));
 * const runs = await runJobs(processor, copies);
 * assert(runs.every(({ state }) => state === 'completed'));
 */
export async function runJobs<J extends FakeJob, R>(
  processor: ProcessorOf<J, R>,
  jobs: readonly J[],
): Promise<JobRun<R>[]> {
  const last: JobRun<R>[] = [];
  let open = [...jobs.entries()];
  for (let run = 0; open.length > 0; run += 1) {
    if (run === MOST_RUNS) {
      const [index, job] = open[0]!;
      throw new Error(
        `The job ${job.id} has not ended after ${run} runs: it is ${last[index]!.state} again.`,
      );
    }
    await Promise.all(
      open.map(async ([index, job]) => (last[index] = await runJob(processor, job))),
    );
    open = open.filter(([index]) => !ends.has(last[index]!.state));
  }
  return last;
}

/** A job that waits for its children waits for more than its own run. */
const ends = new Set<JobRun<unknown>['state']>(['completed', 'failed', 'waiting-children']);
