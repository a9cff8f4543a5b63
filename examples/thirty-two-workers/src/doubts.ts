import { type LedgerRecord, resolveEmail } from '@sendonce/bullmq';
import type { Stage } from './stage.ts';
import type { Rest } from './watch.ts';

/** An email in doubt, how it was resolved, and what a retry of its job did then. */
export interface Doubt {
  readonly cell: string;
  readonly record: LedgerRecord;
  readonly verdict: 'sent' | 'not-sent';
  /** How the retried job ended. */
  readonly retried: string;
  /** Emails that had arrived after the retry. */
  readonly arrived: number;
}

export async function listDoubts({ ledger }: Stage): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state: 'in-doubt' })) records.push(record);
  return records;
}

/** Does what an operator does: looks into the log of the mail server, resolves, retries the job. */
export async function resolveDoubt(
  stage: Stage,
  record: LedgerRecord,
  comeToRest: () => Promise<Rest>,
): Promise<{ readonly doubt: Doubt; readonly rest: Rest }> {
  const { ledger, plan, queue, smtp } = stage;
  // The Message-ID of every attempt is made from the key.
  const messageId = Buffer.from(record.key, 'base64url').toString('hex');
  const found = smtp.received.some((email) => email.messageId.includes(messageId));
  const verdict = found ? 'sent' : 'not-sent';
  const { key, token } = record;
  await resolveEmail({ ledger }, { key, token, verdict, by: 'the mail log' });

  const jobs = await queue.getFailed();
  for (const job of jobs) await job.retry('failed');
  const rest = await comeToRest();
  const states = await Promise.all(jobs.map((job) => job.getState()));
  const arrived = smtp.received.length;
  return { doubt: { cell: plan.id, record, verdict, retried: states.join(), arrived }, rest };
}
