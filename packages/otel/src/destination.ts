import type { Attributes } from '@opentelemetry/api';
import type { JobRef, PerformEvent } from '@sendonce/core';
import { errorCode } from '@sendonce/core/ledger';

/**
 * An event of `perform()` or `once()`, as {@link Telemetry.onEvent} takes it. The job is a
 * {@link JobRef} in an event of `perform()`, and BullMQ's own job in an event of `once()`.
 */
export type ObservedEvent = Omit<PerformEvent, 'job' | 'by'> & {
  readonly job?: JobRef | BullMQJob | undefined;
  readonly by?: string | undefined;
};

/** The properties that {@link ObservedEvent} reads of a job of BullMQ. */
export interface BullMQJob {
  readonly queueName: string;
  readonly id?: string | undefined;
}

/** What OpenTelemetry's conventions call a value that is not counted by its own name. */
const OTHER = '_OTHER';

/** More queues than this are counted as `_OTHER`: each name is a set of time series. */
const MAX_DESTINATIONS = 100;

/**
 * Gives the queue of a job as a metric attribute: its name, or `_OTHER` without a job or after 100
 * names.
 */
export type NameDestination = (job: ObservedEvent['job']) => string;

/** @param onFirst called with each name before it is used for the first time */
export function createNameDestination(onFirst: (name: string) => void): NameDestination {
  const known = new Set<string>();
  return (job) => {
    const queue = readQueueName(job) || OTHER;
    if (known.has(queue)) return queue;
    const name = known.size < MAX_DESTINATIONS ? queue : OTHER;
    if (!known.has(name)) {
      known.add(name);
      onFirst(name);
    }
    return name;
  };
}

/**
 * The attributes of an attempt's span: the job and the key, which is a hash. Never a text of the
 * email.
 */
export function spanAttributes({ job, key }: ObservedEvent, destination: string): Attributes {
  return {
    ...(isBullMQJob(job) && { 'messaging.system': 'bullmq' }),
    'messaging.destination.name': destination,
    ...(job?.id && { 'messaging.message.id': job.id }),
    'sendonce.key': key,
  };
}

/** The attribute `error.type`: the code or the name of an error, never its message. */
export function errorType(error: unknown): string {
  const code = errorCode(error);
  // "error" is what errorCode() returns for a value that has no code; OpenTelemetry has its own
  // word.
  return code === 'error' ? OTHER : code;
}

function readQueueName(job: ObservedEvent['job']): string | undefined {
  return isBullMQJob(job) ? job.queueName : job?.queue;
}

/** BullMQ's job has a property `queue`, too, so `queueName` tells which it is. */
function isBullMQJob(job: ObservedEvent['job']): job is BullMQJob {
  return job !== undefined && 'queueName' in job;
}
