import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';
import type { Quietly } from './quietly.ts';

/** What is measured. The README has the same table, and a test compares both with what is emitted. */
export interface Instruments {
  readonly attempts: Measure;
  readonly steps: Measure;
  readonly resolutions: Measure;
  readonly sendDuration: Measure;
  readonly ledgerDuration: Measure;
}

/** Adds to a counter, or records in a histogram. Never throws. */
export type Measure = (value: number, attributes: Attributes) => void;

/** From a queue next door to a mail server that takes its minute. */
const SEND_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A verb is one round trip: half a millisecond on loopback, seconds where the ledger is in trouble. */
const LEDGER_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Two counters and not one: the sum over all attributes of a counter has to mean something. Each attempt
 * ends once, so `sendonce.attempts` sums up to the attempts; what happens on the way (claimed, dispatched, …) is
 * in `sendonce.steps`, or a sent email would be counted three times. And not one counter for each word, or
 * every ratio would need two names, and a new word a new panel.
 */
export function instrumentsOf(meter: Meter, quietly: Quietly): Instruments {
  const counter = (name: string, options: MetricOptions): Measure => {
    const made = quietly(() => meter.createCounter(name, options));
    return (value, attributes) => quietly(() => made?.add(value, attributes));
  };
  const histogram = (name: string, options: MetricOptions): Measure => {
    const made = quietly(() => meter.createHistogram(name, options));
    return (value, attributes) => quietly(() => made?.record(value, attributes));
  };
  return {
    attempts: counter('sendonce.attempts', {
      unit: '{attempt}',
      description: 'Attempts to send an email, by how they ended.',
    }),
    steps: counter('sendonce.steps', {
      unit: '{step}',
      description: 'What happened to attempts on their way.',
    }),
    resolutions: counter('sendonce.resolutions', {
      unit: '{resolution}',
      description: 'Doubts that were ended, by what means and with which verdict.',
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
