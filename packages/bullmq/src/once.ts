import {
  type Claim,
  fingerprintOf,
  isSendonceError,
  NotSentError,
  OptionError,
  type Performed,
  type PerformEvent,
} from '@sendonce/core';
import {
  describe,
  digestOf,
  HOUR_MS,
  performWith,
  type SharedOptions,
} from '@sendonce/core/ledger';
import { isBullMQControlFlow, isPermanent, unrecoverableError } from './control-flow.ts';
import { flushWhenClosed } from './flush-when-closed.ts';
import { finishRefused } from './finish-refused.ts';
import { finishUnavailable, finishUnsent } from './finish-unsent.ts';
import { logToJob } from './job-log.ts';
import { deriveJobKey, refusePromise } from './job-key.ts';
import { refOf } from './job-ref.ts';
import { labelFor } from './label.ts';
import { checkOnceOptions, type JobLike, type OnceCounters, type OnceOptions } from './options.ts';
import { findNotAfter } from './not-after.ts';
import { stampOf } from './schedule-stamp.ts';
import { settleViaWorker } from './settle-via.ts';

/** A processor, as `new Worker(name, processor)` of BullMQ takes it. */
export type ProcessorOf<J, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>;

/**
 * The wrapped processor that {@link once} returns, and its counters.
 *
 * It resolves with `undefined` if the email was cancelled or skipped, if its result could not be
 * kept, or if the job is a duplicate whose original had no result. The type shows that to a call,
 * to `ReturnType` and to a Worker without type arguments.
 *
 * @example console.log(processor.counters.duplicate)
 */
export interface OnceProcessor<J, R> {
  (job: J, token?: string, signal?: AbortSignal): Promise<R | undefined>;
  /**
   * For `new Worker<Data, R>` only, where R is what the processor returns. A call does not see this
   * signature. BullMQ types the result of every job that way, even if a job has none.
   */
  (job: J, token?: string, signal?: AbortSignal): Promise<R>;
  // TypeScript infers from the last signature.
  (job: J, token?: string, signal?: AbortSignal): Promise<R | undefined>;
  /** How often each step happened in this process since the call of {@link once}. */
  readonly counters: Readonly<OnceCounters>;
}

/**
 * Wraps a BullMQ processor that sends one email, so that the email is never sent twice and never
 * dropped silently. If a crash makes it impossible to know whether the email was sent, the job
 * fails with `InDoubtError` until the doubt is resolved.
 *
 * The processor stays as it is: its errors, retries, delays, progress and result work as before. A
 * duplicate completes with the result of the original. It completes with `undefined` if the
 * original had none, and so does the job of an email that was cancelled or skipped
 * ({@link skipEmail}). If no further attempt can change an error, the job fails at once: BullMQ
 * gets an `UnrecoverableError` whose `code` is that of the sendonce error, which is its `cause`.
 * @throws {OptionError} for a wrong option, or a processor that is not a function.
 *
 * @example
 * const key = (job: Job<Notice>) => ['notice', job.data.orderId];
 * new Worker('notices', once(processor, { ledger, key }), { connection });
 */
export function once<J extends JobLike, R>(
  processor: ProcessorOf<J, R>,
  options: OnceOptions<J>,
): OnceProcessor<J, R> {
  checkProcessor(processor);
  checkOnceOptions(options);
  const counters = zeroCounters();
  const settleVia = settleViaWorker(options.ledger);
  const { label, onEvent } = options;
  const shared: SharedOptions = {
    ...options,
    classify: (error) =>
      isBullMQControlFlow(error) || isRefusedProcessor(error)
        ? 'not-sent'
        : options.classify?.(error),
  };
  const { undispatched = 'in-doubt' } = options;
  const isReturnDecided = undispatched !== 'in-doubt';
  const comparesData = options.onDifferentData !== 'ignore';
  // BullMQ makes and passes a signal only if the function declares three parameters.
  const wantsSignal = processor.length >= 3;

  async function guarded(
    worker: unknown,
    job: J,
    token?: string,
    signal?: AbortSignal,
  ): Promise<R | undefined> {
    let key: string;
    let performed: Performed<R>;
    let refusal = undefined as PerformEvent | undefined;
    try {
      checkJob(job);
      flushWhenClosed(job, options.journal);
      key = deriveJobKey(job, options);
      const notAfter = findNotAfter(job, options);
      const notAfterMs = notAfter && (await notAfter);
      performed = await performWith(effectOf(worker, job, token, signal), shared, {
        key,
        job: refOf(job),
        digest: comparesData ? digestFor(job, key) : undefined,
        emailDateMs: emailDateMs(job),
        notAfterMs,
        settleVia: settleVia(job),
        fingerprint: fingerprintFor(job, key, options),
        label: labelFor(label, job),
        onEvent(event) {
          counters[event.type] += 1;
          if (event.retryAfterMs !== undefined) refusal = event;
          const line = lineFor(event);
          const isDecided = event.type === 'undispatched' && isReturnDecided;
          if (line !== undefined && !isDecided) logToJob(job, line);
          return onEvent?.({ ...event, job });
        },
      });
    } catch (error) {
      if (isPermanent(error)) throw unrecoverableError(error);
      if (refusal?.retryAfterMs !== undefined) {
        const { retryAfterMs, note } = refusal;
        await finishRefused(error, {
          job,
          token,
          onRefused: options.onRefused,
          retryAfterMs,
          note,
        });
      }
      return finishUnavailable(error, { job, token, onUnavailable: options.onUnavailable });
    }
    if (performed.state === 'sent') return performed.resultError ? undefined : performed.value;
    return finishUnsent(performed, { key, job, token, onBusy: options.onBusy });
  }

  // BullMQ calls a processor with its worker as `this`.
  const effectOf = (
    worker: unknown,
    job: J,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ) =>
    wantsSignal
      ? ({ claim }: { claim: Claim }) => {
          if (signal?.aborted) throw cancelledBefore(signal);
          return processor.call(worker, job, token, anySignal(claim, signal));
        }
      : () => processor.call(worker, job, token);

  const wrapped = wantsSignal
    ? function (this: unknown, job: J, token?: string, signal?: AbortSignal) {
        return guarded(this, job, token, signal);
      }
    : function (this: unknown, job: J, token?: string) {
        return guarded(this, job, token);
      };
  wrappers.add(wrapped);
  // No function can have the second signature of OnceProcessor, see its docstring.
  return Object.assign(wrapped, { counters }) as OnceProcessor<J, R>;
}

/** All functions that once() has returned. */
const wrappers = new WeakSet<object>();

function fingerprintFor<J extends JobLike>(
  job: J,
  key: string,
  { fingerprint }: OnceOptions<J>,
): string | undefined {
  if (!fingerprint) return undefined;
  const payload = fingerprint(job);
  refusePromise('fingerprint', payload);
  return fingerprintOf(payload, key);
}

function digestFor({ queueName, name, data }: JobLike, key: string): string | undefined {
  return digestOf({ queue: queueName, name, data }, key);
}

/** @throws {OptionError} for a call without a job, which a test may make. */
function checkJob(job: unknown): void {
  if (typeof job === 'object' && job !== null) return;
  throw new OptionError(
    'job',
    `Expected a job, got ${describe(job)}. Nothing was sent. A unit test may pass { data } with what "key" reads.`,
  );
}

/** The Date header: the same for all attempts of a job, because receivers compare it. */
function emailDateMs(job: JobLike): number {
  const { timestamp = Date.now(), opts } = job;
  // BullMQ accepts a delay with a fraction.
  const dueMs = Math.floor(timestamp + (opts?.delay ?? 0));
  // A promoted job runs early. A Date in the future looks like spam.
  const dateMs = dueMs <= Date.now() ? dueMs : Math.floor(timestamp);
  // A scheduled email may have been moved by days, and its job still has the first due time, which
  // would sort it far down in the recipient's inbox. The full hour is used, so that a replay soon
  // after has the same Date.
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return stampOf(job) && dateMs < Date.now() - HOUR_MS ? hourMs : dateMs;
}

/**
 * `worker.cancelJob()` was called before the processor started, so the processor is not started.
 */
function cancelledBefore({ reason }: AbortSignal): NotSentError {
  return new NotSentError('The job was cancelled before its processor started. Nothing was sent.', {
    cause: reason,
  });
}

function anySignal(claim: Claim, signal: AbortSignal | undefined): AbortSignal {
  return signal ? AbortSignal.any([signal, claim.signal]) : claim.signal;
}

/** Whether the processor returned an Observable, to which nothing has subscribed. */
function isRefusedProcessor(error: unknown): boolean {
  return isSendonceError(error, 'SENDONCE_PROCESSOR') && error.mayHaveLeft === 'no';
}

function checkProcessor(processor: unknown): void {
  if (typeof processor === 'function' && wrappers.has(processor)) {
    throw new OptionError(
      'processor',
      'Expected "processor" to be your own function, got one that once() has already wrapped. Its email would be ' +
        'claimed twice, one claim inside the other. Remove one of the two calls of once().',
    );
  }
  if (typeof processor === 'function') return;
  const hint =
    typeof processor === 'string' || processor instanceof URL
      ? ' For a sandboxed file, use new OnceWorker(name, file, { once: options }).'
      : '';
  throw new OptionError(
    'processor',
    `Expected "processor" to be a function, got ${describe(processor)}.${hint}`,
  );
}

/** The line in the job's log for a step that you should know of. */
function lineFor({ type, note }: PerformEvent): string | undefined {
  if (type !== 'partly-refused') return lines[type];
  return `sent, but some of its recipients do not get it (${note}): it is not sent to them again`;
}

/** The lines that are the same each time. */
const lines: Partial<Record<PerformEvent['type'], string>> = {
  undispatched:
    'ended without a dispatch: pass "dispatch: atSend(transporter)" with the transporter that sends, or return skipEmail(reason)',
  'late-send': 'refused an email that was sent after the processor had returned: await every send',
  'different-data':
    'its data, its name or its queue differ from those of the email that was sent under its key: is "key" too wide?',
  repeated:
    'a second POST went to the same address while the email was being sent: was it sent twice? Switch off the retries of the SDK',
  'result-dropped':
    'sent, but the result of the processor is too large or not JSON: the job completes without it',
};

function zeroCounters(): OnceCounters {
  return {
    claimed: 0,
    dispatched: 0,
    sent: 0,
    duplicate: 0,
    busy: 0,
    'in-doubt': 0,
    rejected: 0,
    skipped: 0,
    cancelled: 0,
    conflict: 0,
    released: 0,
    replayed: 0,
    lost: 0,
    undispatched: 0,
    unavailable: 0,
    'late-send': 0,
    'different-data': 0,
    repeated: 0,
    'result-dropped': 0,
    'partly-refused': 0,
    unrecorded: 0,
  };
}
