import { isSendonceError } from '@sendonce/core';

// BullMQ recognises its errors by `name`, so that two installed copies work together. This file
// does the same, and imports nothing from BullMQ to make or to recognise one.

const controlFlowErrors: Readonly<Record<string, string>> = {
  DelayedError: 'bullmq:movedToDelayed',
  RateLimitError: 'bullmq:rateLimitExceeded',
  WaitingChildrenError: 'bullmq:movedToWaitingChildren',
  WaitingError: 'bullmq:movedToWait',
};

/**
 * Whether an error is one by which a BullMQ processor postpones its job. A processor throws it
 * before it sends.
 */
export function isBullMQControlFlow(error: unknown): boolean {
  return controlFlowName(error) !== undefined;
}

/** The name of the error by which a processor postpones its job, if it is one. */
export function controlFlowName(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { name = '', message = '' } = error as Partial<Error>;
  if (Object.hasOwn(controlFlowErrors, name)) return name;
  // A minified bundle renames the classes, and BullMQ takes the name from there.
  return Object.keys(controlFlowErrors).find((known) => controlFlowErrors[known] === message);
}

/** The error that a worker expects after `job.moveToDelayed()`. It does not use up an attempt. */
export function delayedError(): Error {
  return Object.assign(new Error('bullmq:movedToDelayed'), { name: 'DelayedError' });
}

/**
 * An error that fails the job at once, even if attempts are left: BullMQ checks the `name`.
 * `code` is that of the sendonce error, which is the `cause`.
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
 * Whether another attempt would fail in the same way. Checks the causes of a wrapped error as well.
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
