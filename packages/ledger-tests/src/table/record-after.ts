import type {
  Attempt,
  Cancellation,
  ClaimRequest,
  LedgerRecord,
  Resolution,
  Settlement,
} from '@sendonce/core';
import type { Step, Transition } from './transition-table.ts';

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

/** By what the ledger tells one caller from another. */
export function callerOf(operation: Operation): {
  token?: string;
  fingerprint?: string | undefined;
} {
  if (operation.verb === 'cancel') return {};
  const { token } = operation;
  return operation.verb === 'claim' ? { token, fingerprint: operation.fingerprint } : { token };
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

/** The fields of a record beside key, token, state and time, in one order; without undefined ones. */
export function textsOf(from: Texts): Texts {
  const { job, by, fingerprint, messageId, note, result, resolvedBy, lateNotSent } = from;
  const texts = {
    job: job && { queue: job.queue, id: job.id },
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
