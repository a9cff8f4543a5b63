import {
  BusyError,
  InDoubtError,
  isSendonceError,
  KeyConflictError,
  type Performed,
  RejectedError,
} from '@sendonce/core';
import { isOutage, warnOnce } from '@sendonce/core/ledger';
import { unrecoverableError } from './control-flow.ts';
import { describeRecord, logToJob } from './job-log.ts';
import type { JobLike } from './options.ts';
import { growingWaitMs, parkJob } from './park-job.ts';

/** A job whose run has not sent its email. */
interface UnsentJob {
  readonly key: string;
  readonly job: JobLike;
  /** BullMQ's lock token of this run. */
  readonly token: string | undefined;
  readonly onBusy: 'delay' | 'throw' | undefined;
}

/** Completes, delays or fails a job whose run has not sent its email, and writes why to its log. */
export async function finishUnsent<R>(
  performed: Exclude<Performed<R>, { state: 'sent' }>,
  unsent: UnsentJob,
): Promise<R | undefined> {
  const { job } = unsent;
  switch (performed.state) {
    case 'duplicate':
      logToJob(job, `duplicate of an email that was sent${describeRecord(performed.record, job)}`);
      return performed.value;
    case 'cancelled':
      logToJob(job, `cancelled${describeRecord(performed.record, job)}: not sent`);
      return undefined;
    case 'skipped':
      logToJob(job, `skipped (${performed.reason}): not sent`);
      return undefined;
    case 'busy':
      logToJob(job, 'busy: another attempt is sending this email');
      return delayJob(unsent, performed.retryAfterMs);
    case 'in-doubt':
      logToJob(
        job,
        `in doubt: dispatched${describeRecord(performed.record, job)}, outcome unknown`,
      );
      return finishInDoubt(performed, unsent);
    case 'rejected':
      logToJob(job, `rejected permanently${describeRecord(performed.record, job)}: not sent`);
      throw unrecoverableError(new RejectedError(performed.record, performed.error));
    case 'conflict':
      logToJob(
        job,
        `conflict: the key belongs to an email claimed${describeRecord(performed.record, job)}: not sent`,
      );
      throw unrecoverableError(new KeyConflictError(performed.fields, performed.record));
  }
}

/**
 * Delays the job while the provider recognises the key. After that a person must resolve the doubt.
 */
async function finishInDoubt(
  { record, error, replayForMs }: Extract<Performed<unknown>, { state: 'in-doubt' }>,
  unsent: UnsentJob,
): Promise<never> {
  const inDoubt = new InDoubtError(record, error);
  if (replayForMs === undefined) throw unrecoverableError(inDoubt);
  // Then the attempts of the job are the replays.
  if (!canBeDelayed(unsent)) throw inDoubt;
  logToJob(unsent.job, 'in doubt: delayed, then sent again under the same idempotency key');
  return delayJob(unsent, replayForMs);
}

/**
 * Delays the job if the ledger does not answer, which uses up no attempt. Throws all other errors.
 */
export async function finishUnavailable(
  error: unknown,
  {
    job,
    token,
    onUnavailable,
  }: Pick<UnsentJob, 'job' | 'token'> & {
    readonly onUnavailable: 'delay' | 'throw' | undefined;
  },
): Promise<never> {
  const mayDelay = onUnavailable !== 'throw' && token !== undefined && 'moveToDelayed' in job;
  if (!isOutage(error) || !mayDelay) throw error;
  // A delayed job causes no event of the worker.
  warnOnce('SENDONCE_LEDGER_UNAVAILABLE', job.queueName ?? '', `sendonce: ${messageOf(error)}`);
  logToJob(job, 'the ledger does not answer: nothing was sent, the job is delayed');
  throw await parkJob(job, waitMs(job, Infinity), token);
}

/** The message of the ledger's own error, which a processor may have wrapped. */
function messageOf(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && !isSendonceError(cause)) ({ cause } = cause);
  return isSendonceError(cause) ? cause.message : 'The ledger did not answer.';
}

async function delayJob(unsent: UnsentJob, retryAfterMs: number): Promise<never> {
  const { key, job, token } = unsent;
  if (!canBeDelayed(unsent) || token === undefined || !job.moveToDelayed) {
    throw new BusyError(key, Math.ceil(retryAfterMs));
  }
  throw await parkJob(job, waitMs(job, retryAfterMs), token);
}

/** Whether the job may be delayed. Without a token, `moveToDelayed` would not check the lock. */
function canBeDelayed({ token, onBusy }: UnsentJob): boolean {
  return onBusy !== 'throw' && token !== undefined;
}

/**
 * Grows from run to run, with jitter, up to the time in which the other attempt can lose its claim.
 */
function waitMs(job: JobLike, retryAfterMs: number): number {
  const grown = growingWaitMs(job);
  return Math.ceil(Math.max(50, Math.min(retryAfterMs, grown) * (0.75 + Math.random() / 4)));
}
