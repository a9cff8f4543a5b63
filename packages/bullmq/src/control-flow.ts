import { isSendonceError } from '@sendonce/core';

// BullMQ tells its errors apart by `name`, so that two installed copies understand each other. The
// same holds here: nothing is imported from BullMQ to make or to recognise one.

const comesBackLater = new Set([
  'DelayedError',
  'RateLimitError',
  'WaitingChildrenError',
  'WaitingError',
]);

/** Whether a processor says "not now" by BullMQ's own means: it has sent nothing yet. */
export function isComeBackLater(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, message } = error as Partial<Error>;
  return (name !== undefined && comesBackLater.has(name)) || message === 'bullmq:rateLimitExceeded';
}

/** What a worker expects after `job.moveToDelayed()`; burns no attempt. */
export function delayedError(): Error {
  return Object.assign(new Error('bullmq:movedToDelayed'), { name: 'DelayedError' });
}

/**
 * An error that fails the job at once, whatever attempts are left: BullMQ goes by the `name`.
 * `code` and `cause` are those of the sendonce error.
 */
export function unrecoverable(cause: Error): Error {
  const error = new Error(cause.message, { cause });
  return Object.assign(error, {
    name: 'UnrecoverableError',
    code: isSendonceError(cause) ? cause.code : undefined,
  });
}

const hopelessCodes = [
  'SENDONCE_KEY',
  'SENDONCE_OPTION',
  'SENDONCE_PROCESSOR',
  'SENDONCE_RECIPIENTS',
  'SENDONCE_SECOND_EMAIL',
  'SENDONCE_RESULT',
  'SENDONCE_NOT_RECORDED',
  'SENDONCE_UNREADABLE_RECORD',
] as const;

/** Whether another attempt would end in the same way. Looks through the causes of a wrapped error. */
export function isHopeless(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return hopelessCodes.some((code) => isSendonceError(error, code)) || isHopeless(error.cause);
}
