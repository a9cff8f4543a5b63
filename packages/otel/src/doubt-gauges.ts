import type { BatchObservableResult, Meter } from '@opentelemetry/api';
import { type Ledger } from '@sendonce/core';
import { overviewOf } from '@sendonce/core/inspect';

/** Counted are so many open emails; with more of them there is trouble enough to be seen. */
const MOST_EMAILS = 1000;

/**
 * Asks the ledger, each time that metrics are collected, how many emails are past their dispatch and without
 * outcome. A ledger that cannot answer yields no value.
 */
export function doubtGauges(meter: Meter, ledger: Ledger): () => void {
  const open = meter.createObservableGauge('sendonce.open_emails', {
    unit: '{email}',
    description:
      'Emails past their dispatch and without outcome, by whether their sender is alive.',
  });
  const oldest = meter.createObservableGauge('sendonce.oldest_doubt.age', {
    unit: 's',
    description: 'How long ago the oldest email in doubt was dispatched; 0 without any.',
  });
  const gauges = [open, oldest];
  const observe = async (result: BatchObservableResult) => {
    const asked = overviewOf({ ledger }, { sinceMs: 0, max: MOST_EMAILS });
    const overview = await asked.catch(() => undefined);
    if (!overview) return;
    const { sending, inDoubt } = overview;
    result.observe(open, sending, { 'sendonce.state': 'sending' });
    result.observe(open, inDoubt.length, { 'sendonce.state': 'in-doubt' });
    const sinceMs = Math.min(Date.now(), ...inDoubt.map(({ atMs }) => atMs));
    result.observe(oldest, (Date.now() - sinceMs) / 1000);
  };
  meter.addBatchObservableCallback(observe, gauges);
  return () => meter.removeBatchObservableCallback(observe, gauges);
}
