import { isSendonceError } from '@sendonce/core';

// BullMQ tells its errors apart by `name`, so that two installed copies understand each other. The
// same holds here: nothing is imported from BullMQ to make or to recognise one.

const controlFlowErrors: Readonly<Record<string, string>> = {
  DelayedError: 'bullmq:movedToDelayed',
  RateLimitError: 'bullmq:rateLimitExceeded',
  WaitingChildrenError: 'bullmq:movedToWaitingChildren',
  WaitingError: 'bullmq:movedToWait',
};

/** Whether a processor says "not now" by BullMQ's own means: it has sent nothing yet. */
export function isBullMQControlFlow(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name = '', message = '' } = error as Partial<Error>;
  // The message as well: a minified bundle renames the classes, and BullMQ takes the name from
  // there.
  return (
    Object.hasOwn(controlFlowErrors, name) || Object.values(controlFlowErrors).includes(message)
  );
}

/** What a worker expects after `job.moveToDelayed()`; uses up no attempt. */
export function delayedError(): Error {
  return Object.assign(new Error('bullmq:movedToDelayed'), { name: 'DelayedError' });
}

/**
 * An error that fails the job at once, with attempts left or not: BullMQ goes by the `name`.
 * `code` and `cause` are those of the sendonce error.
 */
export function unrecoverableError(cause: Error): Error {
  const error = new Error(cause.message, { cause });
  return Object.assign(error, {
    name: 'UnrecoverableError',
    code: isSendonceError(cause) ? cause.code : undefined,
  });
}

const permanentCodes = [
  'SENDONCE_KEY',
  'SENDONCE_KEY_CHANGED',
  'SENDONCE_OPTION',
  'SENDONCE_PROCESSOR',
  'SENDONCE_RECIPIENTS',
  'SENDONCE_ADDRESS',
  'SENDONCE_SECOND_EMAIL',
  'SENDONCE_SKIP',
  'SENDONCE_NOT_RECORDED',
  'SENDONCE_UNREADABLE_RECORD',
] as const;

/**
 * Whether another attempt would end in the same way. Looks through the causes of a wrapped error.
 */
export function isPermanent(error: unknown): error is Error {
  const seen = new Set<unknown>();
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    // Nothing was sent: the next attempt decides and records anew.
    if (isSendonceError(cause, 'SENDONCE_NOT_RECORDED') && cause.mayHaveLeft === 'no') continue;
    if (permanentCodes.some((code) => isSendonceError(cause, code))) return true;
  }
  return false;
}
