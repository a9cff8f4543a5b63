import type { Attributes } from '@opentelemetry/api';
import type { ObservedEvent } from './destination.ts';

/**
 * How an attempt ended. `unrecorded`: the ledger did not take the outcome, and no other end was
 * reported.
 */
export type Outcome = (typeof outcomes)[number] | 'unrecorded';

/** The events that end an attempt. */
export const outcomes = [
  'sent',
  'duplicate',
  'busy',
  'in-doubt',
  'rejected',
  'skipped',
  'cancelled',
  'conflict',
  'released',
] as const satisfies readonly ObservedEvent['type'][];

/** The events before the end. */
export const steps = [
  'claimed',
  'dispatched',
  'replayed',
  'lost',
  'undispatched',
  'unavailable',
  'late-send',
  'different-data',
  'repeated',
  'result-dropped',
  'partly-refused',
  'unrecorded',
] as const satisfies readonly ObservedEvent['type'][];

/**
 * The `error.type` of a failed attempt that has no code itself. A duplicate is not a failure.
 */
export const failureTypes: Readonly<Partial<Record<Outcome, string>>> = {
  'in-doubt': 'SENDONCE_IN_DOUBT',
  rejected: 'SENDONCE_REJECTED',
  conflict: 'SENDONCE_CONFLICT',
  unrecorded: 'SENDONCE_NOT_RECORDED',
};

export function outcomeAttributes(destination: string, outcome: Outcome): Attributes {
  return { 'messaging.destination.name': destination, 'sendonce.outcome': outcome };
}

export function stepAttributes(destination: string, step: ObservedEvent['type']): Attributes {
  return { 'messaging.destination.name': destination, 'sendonce.step': step };
}
