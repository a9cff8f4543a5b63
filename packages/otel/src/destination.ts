import type { Attributes } from '@opentelemetry/api';
import type { PerformEvent } from '@sendonce/core';

/** An event of `perform()` or of `once()`: the latter has the job. */
export type SeenEvent = PerformEvent & {
  readonly job?: { readonly queueName?: string; readonly id?: string | undefined };
};

/** Names that are counted apart; what comes after them is `_OTHER`, as the conventions call the rest. */
const MOST_DESTINATIONS = 100;

/**
 * The queue of an attempt, as a metric attribute: `by` is `queue:jobId`, or whatever a caller of perform()
 * writes. So the number of names is bounded, and what has no colon is no queue: it may be an order number.
 */
export function destinations(onFirst: (name: string) => void): (by: string | undefined) => string {
  const known = new Set<string>();
  return (by) => {
    const colon = by?.indexOf(':') ?? -1;
    const named = by === undefined || colon < 1 ? '_OTHER' : by.slice(0, colon);
    if (known.has(named)) return named;
    const name = known.size < MOST_DESTINATIONS ? named : '_OTHER';
    if (!known.has(name)) {
      known.add(name);
      onFirst(name);
    }
    return name;
  };
}

/** What a span tells beside the destination: the job and the key, which is a hash; never a text of the email. */
export function spanAttributes(event: SeenEvent, destination: string): Attributes {
  const { job, by, key } = event;
  // `by` without a queue may be anything.
  const id = job ? job.id : by?.includes(':') ? by.slice(by.indexOf(':') + 1) : undefined;
  return {
    ...(job && { 'messaging.system': 'bullmq' }),
    'messaging.destination.name': destination,
    ...(id !== undefined && id !== '' && { 'messaging.message.id': id }),
    'sendonce.key': key,
  };
}

/** A code as `error.type`: what does not look like one may be a text, and texts are for nobody. */
export function errorType(code: unknown): string {
  if (typeof code === 'number') return String(code);
  return typeof code === 'string' && /^[\w.-]{1,40}$/.test(code) ? code : '_OTHER';
}

/** The code or the name of an error. */
export function typeOfError(error: unknown): string {
  const { code, name } = (error ?? {}) as Record<string, unknown>;
  const type = errorType(code);
  return type === '_OTHER' ? errorType(name) : type;
}
