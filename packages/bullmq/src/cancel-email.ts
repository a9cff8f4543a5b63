import { type EmailJob, isWaiting, latestDueMs, loadJobs } from './email-jobs.ts';
import { type EmailStatus, recordToStatus } from './email-status.ts';
import type { Producer } from './schedule-email.ts';

/**
 * The answer of `cancel()`: `cancelled` (final, no job sends the email) or `too-late` (it was
 * dispatched before). {@link DelayedEmails.cancel}
 */
export type Cancelled = { readonly key: string } & (
  | { readonly state: 'cancelled' }
  /** The email was dispatched before the cancellation. `email` is its status. */
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

/**
 * Cancels in the ledger, which decides, then removes the jobs. A job that cannot be removed
 * completes as cancelled.
 */
export async function cancelEmail(
  { queue, ledger }: Producer,
  { key, by, retentionMs }: { key: string; by: string | undefined; retentionMs: number },
): Promise<Cancelled> {
  const { jobs } = await loadJobs(queue, key);
  // If the cancellation expired before the email is due, the email would be sent after all.
  const lastMs = Math.max(Date.now(), ...jobs.map(latestDueMs));
  const reply = await ledger.cancel({
    key,
    retentionMs: Math.ceil(lastMs - Date.now()) + retentionMs,
    by,
  });
  if (reply.state === 'too-late') {
    return { key, state: 'too-late', email: recordToStatus(reply.record) };
  }
  // Loaded again for a job that was added before the ledger cancelled. Later calls of schedule()
  // see the record.
  const remaining = await loadJobs(queue, key).catch(() => ({ jobs }));
  const removable = remaining.jobs.filter(isRemovable);
  await Promise.all(removable.map(({ job }) => job.remove().catch(() => {})));
  return { key, state: 'cancelled' };
}

/**
 * Whether the job can be removed. Removing one that waits for its children would remove the
 * children as well, so it completes unsent after them.
 */
function isRemovable({ state }: EmailJob): boolean {
  return isWaiting(state) && state !== 'waiting-children';
}
