import {
  type EmailJob,
  isWaiting,
  latestDueMs,
  listJobIds,
  loadJobs,
  type QueueLike,
} from './email-jobs.ts';
import { type EmailStatus, recordToStatus } from './email-status.ts';
import { countJobs, leaveTrace } from './queue-commands.ts';
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
  const [{ jobs }] = await Promise.all([loadJobs(queue, key), leaveTrace(queue, key, retentionMs)]);
  // If the cancellation expired before the email is due, the email would be sent after all.
  const lastMs = Math.max(Date.now(), ...jobs.map(latestDueMs));
  const keptMs = Math.ceil(lastMs - Date.now()) + retentionMs;
  const reply = await ledger.cancel({ key, retentionMs: keptMs, by });
  if (reply.state === 'too-late') {
    return { key, state: 'too-late', email: recordToStatus(reply.record) };
  }
  const removable = await findRemovable(queue, { key, jobs });
  await Promise.all(removable.map(({ job }) => job.remove().catch(() => {})));
  return { key, state: 'cancelled' };
}

interface CancelledEmail {
  readonly key: string;
  /** As they were before the ledger cancelled. */
  readonly jobs: readonly EmailJob[];
}

/**
 * The jobs to remove after the ledger has cancelled: also one that was added while it did. Later
 * calls of schedule() see the record.
 */
async function findRemovable<D>(
  queue: QueueLike<D>,
  { key, jobs }: CancelledEmail,
): Promise<readonly EmailJob[]> {
  // A job is removed by its id. Whether another id was taken meanwhile costs one command.
  const ids = listJobIds(key).filter((id) => !jobs.some(({ job }) => job.id === id));
  const others = await countJobs(queue, ids).catch(() => 'unknown');
  if (others === 0 && jobs.every(isRemovable)) return jobs;
  const remaining = await loadJobs(queue, key).catch(() => ({ jobs }));
  return remaining.jobs.filter(isRemovable);
}

/**
 * Whether the job can be removed. Removing one that waits for its children would remove the
 * children as well, so it completes unsent after them.
 */
function isRemovable({ state }: EmailJob): boolean {
  return isWaiting(state) && state !== 'waiting-children';
}
