import {
  BusyError,
  type Claim,
  deriveKey,
  fingerprintOf,
  InDoubtError,
  isSendonceError,
  KeyConflictError,
  type LedgerRecord,
  OptionError,
  type Performed,
  RejectedError,
} from '@sendonce/core';
import { describe, performWith, type SharedOptions } from '@sendonce/core/ledger';
import { delayedError, isComeBackLater, isHopeless, unrecoverable } from './control-flow.ts';
import { labelOf } from './label.ts';
import { keyOfScheduled, markOf } from './mark.ts';
import { settlesOf } from './settles.ts';
import { checkOnceOptions, type JobLike, type OnceCounters, type OnceOptions } from './options.ts';

/** A processor as `new Worker(name, processor)` takes it. */
export type ProcessorOf<J, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>;

/** The wrapped processor, and what it has counted. */
export type OnceProcessor<J, R> = ProcessorOf<J, R> & { readonly counters: Readonly<OnceCounters> };

/**
 * Wraps a BullMQ processor that sends one email, so that the email is never sent twice and never
 * lost in silence, whatever the queue redelivers; where a sender dies between dispatch and outcome
 * nobody can know, and the job fails with InDoubtError until that is resolved.
 *
 * The processor stays as it is: its errors, retries, delays, progress and result work as before. A
 * duplicate completes with the result of the original. Errors that another attempt cannot mend fail
 * the job at once; their `code` and `cause` are those of the sendonce error.
 * @throws {OptionError} for wrong options or a processor that is not a function.
 *
 * @example
 * new Worker('notices', once(processor, { ledger, key: (job) => ['notice', job.data.orderId] }), { connection });
 */
export function once<J extends JobLike, R>(
  processor: ProcessorOf<J, R>,
  options: OnceOptions<J>,
): OnceProcessor<J, R> {
  checkProcessor(processor);
  checkOnceOptions(options);
  const counters = zeroCounters();
  const settles = settlesOf(options.ledger);
  const { key: selectKey, fingerprint, label, onEvent } = options;
  const shared: SharedOptions = {
    ...options,
    classify: (error) =>
      isComeBackLater(error) || isUnsubscribed(error) ? 'not-sent' : options.classify?.(error),
  };
  // BullMQ passes a signal only to a function that declares three plain parameters, and makes one for it.
  const wantsSignal = processor.length >= 3;

  async function guarded(job: J, token?: string, signal?: AbortSignal): Promise<R> {
    let performed: Performed<R>;
    try {
      const key = keyOf(job, selectKey);
      performed = await performWith(effectOf(job, token, signal), shared, {
        key,
        job: { queue: job.queueName, id: job.id ?? '?' },
        emailDateMs: emailDateOf(job),
        settleVia: settles(job),
        fingerprint: fingerprint && fingerprintOf(fingerprint(job), key),
        label: labelOf(label, job),
        onEvent(event) {
          counters[event.type] += 1;
          if (event.type === 'undispatched') note(job, undispatched);
          onEvent?.({ ...event, job });
        },
      });
    } catch (error) {
      throw isHopeless(error) ? unrecoverable(error) : error;
    }
    if (performed.state === 'sent') return performed.value;
    return answer(performed, { job, token, options });
  }

  const effectOf = (job: J, token: string | undefined, signal: AbortSignal | undefined) =>
    wantsSignal
      ? ({ claim }: { claim: Claim }) => processor(job, token, anySignal(claim, signal))
      : () => processor(job, token);

  const wrapped = wantsSignal ? guarded : (job: J, token?: string) => guarded(job, token);
  return Object.assign(wrapped, { counters });
}

interface Context<J extends JobLike> {
  readonly job: J;
  readonly token: string | undefined;
  readonly options: OnceOptions<J>;
}

/** What the job does where it has not sent. */
async function answer<J extends JobLike, R>(
  performed: Exclude<Performed<R>, { state: 'sent' }>,
  { job, token, options }: Context<J>,
): Promise<R> {
  switch (performed.state) {
    case 'duplicate':
      note(job, `duplicate of an email that was sent${told(performed.record, job)}`);
      return performed.value as R;
    case 'cancelled':
      note(job, `cancelled${told(performed.record, job)}: not sent`);
      return undefined as R;
    case 'busy':
      note(job, 'busy: another attempt is sending this email');
      return comeBack(job, token, performed.retryAfterMs, options);
    case 'in-doubt':
      note(job, `in doubt: dispatched${told(performed.record, job)}, outcome unknown`);
      return doubt(performed, { job, token, options });
    case 'rejected':
      note(job, `rejected for good${told(performed.record, job)}: not sent`);
      throw unrecoverable(new RejectedError(performed.record, performed.error));
    case 'conflict':
      note(
        job,
        `conflict: the key belongs to an email claimed${told(performed.record, job)}: not sent`,
      );
      throw unrecoverable(new KeyConflictError(performed.fields, performed.record));
  }
}

/** Comes back while the provider still knows the email; else a person has to find out. */
async function doubt<J extends JobLike>(
  { record, error, replayForMs }: Extract<Performed<unknown>, { state: 'in-doubt' }>,
  { job, token, options }: Context<J>,
): Promise<never> {
  const inDoubt = new InDoubtError(record, error);
  if (replayForMs === undefined) throw unrecoverable(inDoubt);
  // The queue's own attempts, where that is wanted.
  if (options.onBusy === 'throw' || token === undefined) throw inDoubt;
  note(job, 'in doubt: comes back, to be sent again under the same key of the provider');
  return comeBack(job, token, replayForMs, options);
}

async function comeBack<J extends JobLike>(
  job: J,
  token: string | undefined,
  retryAfterMs: number,
  options: OnceOptions<J>,
): Promise<never> {
  // Without a lock token, `moveToDelayed` would check no lock at all.
  if (options.onBusy === 'throw' || token === undefined) {
    throw new BusyError(keyOf(job, options.key), Math.ceil(retryAfterMs));
  }
  await job.moveToDelayed(Date.now() + waitMs(job, retryAfterMs), token);
  throw delayedError();
}

/** Growing, jittered, and no longer than the other attempt can hold its claim in silence. */
function waitMs(job: JobLike, retryAfterMs: number): number {
  const earlier = Math.max(0, (job.attemptsStarted ?? 1) - job.attemptsMade - 1);
  const grown = Math.min(250 * 2 ** earlier, 15_000);
  return Math.ceil(Math.max(50, Math.min(retryAfterMs, grown) * (0.75 + Math.random() / 4)));
}

function keyOf<J extends JobLike>(job: J, select: (job: J) => unknown): string {
  const selected = select(job);
  const mark = markOf(job);
  if (mark) return keyOfScheduled(mark, selected);
  // All jobs of a scheduler have the same data: what differs is the iteration, told by the id.
  return deriveKey(job.repeatJobKey ? [selected, job.id] : selected);
}

/** When the email is due: the same for all attempts of this job, as receivers compare it. */
function emailDateOf(job: JobLike): number {
  const { timestamp, opts } = job;
  // BullMQ takes a delay with a fraction.
  const dueMs = Math.floor(timestamp + (opts.delay ?? 0));
  // A promoted job runs early; a Date in the future looks like spam.
  const dateMs = dueMs <= Date.now() ? dueMs : Math.floor(timestamp);
  // A scheduled email may have been moved by days, which its job does not tell: the first due time
  // would put it far down in the recipient's inbox. The hour, so that a replay soon after is the same email.
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return markOf(job) && dateMs < Date.now() - HOUR_MS ? hourMs : dateMs;
}

const HOUR_MS = 60 * 60 * 1000;

function anySignal(claim: Claim, signal: AbortSignal | undefined): AbortSignal {
  return signal ? AbortSignal.any([signal, claim.signal]) : claim.signal;
}

function isUnsubscribed(error: unknown): boolean {
  return isSendonceError(error, 'SENDONCE_PROCESSOR') && error.mayHaveLeft === 'no';
}

function checkProcessor(processor: unknown): void {
  if (typeof processor === 'function') return;
  const hint =
    typeof processor === 'string' || processor instanceof URL
      ? ' For a sandboxed file use new OnceWorker(name, file, { once: options }).'
      : '';
  throw new OptionError(
    'processor',
    `Expected "processor" to be a function, got ${describe(processor)}.${hint}`,
  );
}

const undispatched =
  'sent without dispatch: is dispatchAtSend() installed on the transporter that this processor uses?';

/** A line in the log of the job; the outcome does not depend on it. */
function note(job: JobLike, text: string): void {
  job.log(`sendonce: ${text}`).catch(() => {});
}

/** By whom, when, why, and which email: for a page that shows one job, and nothing around it. */
function told({ by, atMs, messageId, note: why }: LedgerRecord, job: JobLike): string {
  const own = by === `${job.queueName}:${job.id}` ? ' (this job)' : '';
  const who = by === undefined ? '' : ` by ${by}${own}`;
  const id = messageId === undefined ? '' : `, Message-ID ${messageId}`;
  return `${who} at ${new Date(atMs).toISOString()}${why ? ` (${why})` : ''}${id}`;
}

function zeroCounters(): OnceCounters {
  return {
    claimed: 0,
    dispatched: 0,
    sent: 0,
    duplicate: 0,
    busy: 0,
    'in-doubt': 0,
    rejected: 0,
    cancelled: 0,
    conflict: 0,
    released: 0,
    replayed: 0,
    lost: 0,
    undispatched: 0,
    unrecorded: 0,
  };
}
