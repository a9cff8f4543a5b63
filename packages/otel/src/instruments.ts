import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';
import type { Safely } from './safely.ts';

/** What is measured. A test compares the README's table with what is emitted. */
export interface Instruments {
  readonly attempts: Measure;
  readonly steps: Measure;
  readonly resolutions: Measure;
  readonly sendDuration: Measure;
  readonly ledgerDuration: Measure;
}

/** Adds to a counter, or records in a histogram. Never throws. */
export type Measure = (value: number, attributes: Attributes) => void;

/** Seconds: from a mail queue on the same host to a mail server that takes a minute. */
const SEND_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Seconds: a verb is one round trip, half a millisecond on the same host. */
const LEDGER_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Creates the instruments.
 *
 * Attempts and steps are two counters, because the sum of a counter over its attributes must have a
 * meaning. Each attempt ends once, so `sendonce.attempts` sums up to the attempts; in one counter
 * of all events, a sent email would count three times. They are not one counter for each event
 * either: every ratio would need two names.
 */
export function createInstruments(meter: Meter, safely: Safely): Instruments {
  const counter = (name: string, options: MetricOptions): Measure => {
    const created = safely(() => meter.createCounter(name, options));
    return (value, attributes) => safely(() => created?.add(value, attributes));
  };
  const histogram = (name: string, options: MetricOptions): Measure => {
    const created = safely(() => meter.createHistogram(name, options));
    return (value, attributes) => safely(() => created?.record(value, attributes));
  };
  return {
    attempts: counter('sendonce.attempts', {
      unit: '{attempt}',
      description: 'Attempts to send an email, by how they ended.',
    }),
    steps: counter('sendonce.steps', {
      unit: '{step}',
      description: 'What happened to attempts before they ended.',
    }),
    resolutions: counter('sendonce.resolutions', {
      unit: '{resolution}',
      description: 'Doubts that were resolved, by what means and with which verdict.',
    }),
    sendDuration: histogram('sendonce.send.duration', {
      unit: 's',
      description: 'From the dispatch of an email until its outcome was known.',
      advice: { explicitBucketBoundaries: SEND_BUCKETS },
    }),
    ledgerDuration: histogram('sendonce.ledger.duration', {
      unit: 's',
      description: 'How long a verb of the ledger took.',
      advice: { explicitBucketBoundaries: LEDGER_BUCKETS },
    }),
  };
}
