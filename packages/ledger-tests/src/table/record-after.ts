import type {
  Attempt,
  Cancellation,
  ClaimRequest,
  LedgerRecord,
  Resolution,
  Settlement,
} from '@sendonce/core';
import type { Caller, Step, Transition } from './transition-table.ts';

/** One verb about one key, as a value. */
export type Operation =
  | ({ readonly verb: 'claim' } & ClaimRequest)
  | ({ readonly verb: 'dispatch' | 'heartbeat' } & Attempt)
  | ({ readonly verb: 'release' } & Pick<Attempt, 'key' | 'token'>)
  | ({ readonly verb: 'settle' } & Settlement)
  | ({ readonly verb: 'resolve' } & Resolution)
  | ({ readonly verb: 'cancel' } & Cancellation);

/** A record without its time. */
export type Facts = Omit<LedgerRecord, 'atMs'>;

/** In which rows of the table an operation is found. */
export function stepOf(operation: Operation): Step {
  switch (operation.verb) {
    case 'settle':
      return `settle ${operation.outcome}`;
    case 'resolve':
      return `resolve ${operation.verdict}`;
    default:
      return operation.verb;
  }
}

export function callerOf(operation: Operation): Caller {
  if (operation.verb === 'cancel') return {};
  const { token } = operation;
  if (operation.verb === 'claim') return { token, fingerprint: operation.fingerprint };
  const isSent = operation.verb === 'settle' && operation.outcome === 'sent';
  return isSent ? { token, undispatched: operation.undispatched } : { token };
}

/** What is stored after an operation, by the row of the table that applied. */
export function recordAfter(
  { to }: Transition,
  record: Facts | undefined,
  operation: Operation,
): Facts | undefined {
  switch (to) {
    case '=':
      return record;
    case 'absent':
      return undefined;
    default:
  }
  const { key } = operation;
  switch (operation.verb) {
    case 'claim': {
      const state = operation.dispatched ? 'dispatched' : to;
      return { key, token: operation.token, state, ...textsOf(operation) };
    }
    case 'settle':
      return { key, token: operation.token, state: to, ...textsOf(operation) };
    case 'cancel':
      return { key, token: '', state: to, ...textsOf(operation) };
    case 'resolve': {
      if (!record) throw new Error('The table resolves an absent record.');
      const { lateNotSent: _ended, ...kept } = record;
      return { ...kept, state: to, resolvedBy: operation.by };
    }
    case 'dispatch':
    case 'heartbeat':
    case 'release':
      return record && { ...record, state: to };
  }
}

type Texts = Omit<Facts, 'key' | 'token' | 'state'>;

/**
 * The fields of a record beside key, token, state and time, in one order; without undefined ones.
 */
export function textsOf(from: Texts): Texts {
  const { job, digest, by, fingerprint, messageId, note, result, resolvedBy, lateNotSent } = from;
  const texts = {
    job: job && { queue: job.queue, id: job.id },
    digest,
    by,
    fingerprint,
    messageId,
    note,
    result,
    resolvedBy,
    lateNotSent,
  };
  return Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined));
}
