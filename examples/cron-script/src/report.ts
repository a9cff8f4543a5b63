import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger, perform, type Performed, resolveEmail } from '@sendonce/core';

export interface Sent {
  readonly messageId: string;
}

export interface ReportOptions {
  readonly ledger: Ledger;
  readonly day: string;
  readonly by: string;
  readonly waitMs: number;
  /** Sends the email; its transporter has the plugin dispatchAtSend(). */
  readonly send: () => Promise<Sent>;
}

/** Which email this is: one report a day, on all machines. */
export function keyOf(day: string): string {
  return deriveKey(['daily-report', day]);
}

/**
 * Sends the report of that day unless another machine does. Where one is just about to, waits for
 * what becomes of it: if that machine dies before its dispatch, its claim runs out, and we send.
 * A queue would retry; cron does not.
 */
export async function sendReport(options: ReportOptions): Promise<Performed<Sent>> {
  const { ledger, day, by, waitMs, send } = options;
  const deadlineMs = Date.now() + waitMs;
  for (;;) {
    const performed = await perform(send, {
      ledger,
      key: keyOf(day),
      by,
      dispatch: 'at-send',
    });
    const leftMs = deadlineMs - Date.now();
    if (performed.state !== 'busy' || leftMs <= 0) return performed;
    await sleep(Math.min(performed.retryAfterMs, leftMs, 1000));
  }
}

/**
 * Writes down what a person found out about an email in doubt, or that a rejected one may be tried
 * again. False where there is nothing to resolve.
 */
export async function resolveReport(
  ledger: Ledger,
  day: string,
  verdict: 'sent' | 'not-sent',
  by: string,
): Promise<boolean> {
  const key = keyOf(day);
  const record = await ledger.read(key);
  if (!record) return false;
  const { token } = record;
  const { state } = await resolveEmail({ ledger }, { key, token, verdict, by });
  return state === 'resolved';
}
