import { type EmailJob, isWaiting, jobsOf } from './email-jobs.ts';
import { type EmailStatus, recordStatus } from './email-status.ts';
import type { Producer } from './schedule-email.ts';

/** What became of `cancel()`. */
export type Cancelled = { readonly key: string } & (
  | { readonly state: 'cancelled' }
  /** It was dispatched before: what became of it. */
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

/** The ledger decides; the job is only tidied away, and completes as cancelled where it cannot be. */
export async function cancelEmail(
  { queue, ledger }: Producer,
  { key, by, retentionMs }: { key: string; by: string | undefined; retentionMs: number },
): Promise<Cancelled> {
  const { jobs } = await jobsOf(queue, key);
  // A cancellation that runs out before the email is due would let it go after all.
  const lastMs = Math.max(Date.now(), ...jobs.map(({ at }) => at.getTime()));
  const reply = await ledger.cancel({
    key,
    retentionMs: Math.ceil(lastMs - Date.now()) + retentionMs,
    ...(by !== undefined && { by }),
  });
  if (reply.state === 'too-late')
    return { key, state: 'too-late', email: recordStatus(reply.record) };
  // Again, for one that was scheduled between the two; from now on each schedule sees the record.
  const left = await jobsOf(queue, key).catch(() => ({ jobs }));
  await Promise.all(left.jobs.filter(isRemovable).map(({ job }) => job.remove().catch(() => {})));
  return { key, state: 'cancelled' };
}

/** Not one that waits for its children: they would go with it. It completes unsent after them. */
function isRemovable({ state }: EmailJob): boolean {
  return isWaiting(state) && state !== 'waiting-children';
}
