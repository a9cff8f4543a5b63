import type { BatchObservableResult, Meter } from '@opentelemetry/api';
import { type Ledger } from '@sendonce/core';
import { overviewOf } from '@sendonce/core/inspect';

/** The two gauges of {@link Telemetry.watchDoubts}. */
export interface DoubtWatch extends AsyncDisposable {
  /** Stops reading the ledger. The SDK may keep exporting the last values. */
  readonly close: () => Promise<void>;
}

/** Counting stops there: an alert needs no exact number above it. */
const MAX_OPEN_EMAILS = 1000;

/**
 * Counts the emails that are dispatched and have no outcome, each time that metrics are collected.
 * If the ledger cannot answer, there is no value.
 */
export function watchOpenEmails(meter: Meter, ledger: Ledger): DoubtWatch {
  const open = meter.createObservableGauge('sendonce.open_emails', {
    unit: '{email}',
    description:
      'Emails that are dispatched and have no outcome, by whether their sender is alive.',
  });
  const oldest = meter.createObservableGauge('sendonce.oldest_doubt.age', {
    unit: 's',
    description: 'How long ago the oldest email in doubt was dispatched; 0 if there is none.',
  });
  const gauges = [open, oldest];
  const observe = async (result: BatchObservableResult) => {
    const loading = overviewOf({ ledger }, { sinceMs: 0, max: MAX_OPEN_EMAILS });
    const overview = await loading.catch(() => undefined);
    if (!overview) return;
    const { sending, inDoubt } = overview;
    result.observe(open, sending, { 'sendonce.state': 'sending' });
    result.observe(open, inDoubt.length, { 'sendonce.state': 'in-doubt' });
    const sinceMs = Math.min(Date.now(), ...inDoubt.map(({ atMs }) => atMs));
    result.observe(oldest, (Date.now() - sinceMs) / 1000);
  };
  meter.addBatchObservableCallback(observe, gauges);
  const close = async () => meter.removeBatchObservableCallback(observe, gauges);
  return { close, [Symbol.asyncDispose]: close };
}
