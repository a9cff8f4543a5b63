import { deriveKey, type Ledger, perform, type Performed, resolveEmail } from '@sendonce/core';

export interface Sent {
  readonly messageId: string;
}

export interface ReportOptions {
  readonly ledger: Ledger;
  readonly day: string;
  readonly by: string;
  readonly waitMs: number;
  /** Of `atSend()`, with the transporter of `send`. */
  readonly dispatch: 'at-send';
  readonly send: () => Promise<Sent>;
}

/** Which email this is: one report a day, on all machines. */
export function keyOf(day: string): string {
  return deriveKey(['daily-report', day]);
}

/**
 * Sends the report of a day unless another machine does. If another machine has claimed it, this
 * one waits: if the other dies before its dispatch, its claim expires, and this one sends. A queue
 * would retry; cron does not.
 */
export function sendReport(options: ReportOptions): Promise<Performed<Sent>> {
  const { ledger, day, by, waitMs, dispatch, send } = options;
  return perform(send, { ledger, key: keyOf(day), by, dispatch, waitMs });
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
