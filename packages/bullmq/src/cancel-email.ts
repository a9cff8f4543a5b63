import { type EmailJob, isWaiting, latestDueMs, loadJobs } from './email-jobs.ts';
import { type EmailStatus, recordToStatus } from './email-status.ts';
import type { Producer } from './schedule-email.ts';

/** What became of `cancel()`. */
export type Cancelled = { readonly key: string } & (
  | { readonly state: 'cancelled' }
  /** It was dispatched before: what became of it. */
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

/**
 * The ledger decides. The job is then removed, or completes as cancelled where it cannot be
 * removed.
 */
export async function cancelEmail(
  { queue, ledger }: Producer,
  { key, by, retentionMs }: { key: string; by: string | undefined; retentionMs: number },
): Promise<Cancelled> {
  const { jobs } = await loadJobs(queue, key);
  // A cancellation that runs out before the email is due would let it go after all.
  const lastMs = Math.max(Date.now(), ...jobs.map(latestDueMs));
  const reply = await ledger.cancel({
    key,
    retentionMs: Math.ceil(lastMs - Date.now()) + retentionMs,
    by,
  });
  if (reply.state === 'too-late') {
    return { key, state: 'too-late', email: recordToStatus(reply.record) };
  }
  // Again, for one that was scheduled between the two; from now on each schedule sees the record.
  const remaining = await loadJobs(queue, key).catch(() => ({ jobs }));
  const removable = remaining.jobs.filter(isRemovable);
  await Promise.all(removable.map(({ job }) => job.remove().catch(() => {})));
  return { key, state: 'cancelled' };
}

/** Not one that waits for its children: they would go with it. It completes unsent after them. */
function isRemovable({ state }: EmailJob): boolean {
  return isWaiting(state) && state !== 'waiting-children';
}
