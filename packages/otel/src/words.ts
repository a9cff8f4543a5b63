import type { Attributes } from '@opentelemetry/api';
import type { SeenEvent } from './destination.ts';

/** How an attempt ended. `unrecorded`: no other end was told, the ledger did not take the outcome. */
export type Outcome = (typeof outcomes)[number] | 'unrecorded';

export const outcomes = [
  'sent',
  'duplicate',
  'busy',
  'in-doubt',
  'rejected',
  'cancelled',
  'conflict',
  'released',
] as const satisfies readonly SeenEvent['type'][];

/** What happens on the way. */
export const steps = [
  'claimed',
  'dispatched',
  'replayed',
  'lost',
  'undispatched',
  'unrecorded',
] as const satisfies readonly SeenEvent['type'][];

/** What a failed attempt is called where no code is known. A duplicate is no error. */
export const failures: Readonly<Partial<Record<Outcome, string>>> = {
  'in-doubt': 'SENDONCE_IN_DOUBT',
  rejected: 'SENDONCE_REJECTED',
  conflict: 'SENDONCE_CONFLICT',
  unrecorded: 'SENDONCE_NOT_RECORDED',
};

/** The attributes of an end. */
export function outcomeOf(destination: string, outcome: Outcome): Attributes {
  return { 'messaging.destination.name': destination, 'sendonce.outcome': outcome };
}

/** The attributes of a step. */
export function stepOf(destination: string, step: SeenEvent['type']): Attributes {
  return { 'messaging.destination.name': destination, 'sendonce.step': step };
}
