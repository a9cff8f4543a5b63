import { currentClaim } from '@sendonce/core';
import { createSkip } from '@sendonce/core/ledger';

/**
 * Decides not to send: a wrapped processor returns what this returns. Its job completes, its log says
 * why, and the email is recorded as `skipped`: that blocks nothing, so the same email may be scheduled
 * and sent later. The job of a skipped email has no result.
 *
 * In a sandboxed file, too, and in a unit test of the processor alone.
 *
 * @param reason a short code for people, 1 to 100 characters, never an address: `unsubscribed`.
 * @returns a mark. Its type is `never`, so that the type of the processor's result stays as it is.
 * @throws {SkipError} for a reason that cannot be stored, after an email that may have left, and for a
 *   second skip.
 *
 * @example
 * async function processor(job: Job<Notice>) {
 *   if (await hasUnsubscribed(job.data.to)) return skipEmail('unsubscribed');
 *   await transporter.sendMail(notice(job.data));
 * }
 */
export function skipEmail(reason: string): never {
  const claim = currentClaim();
  return claim ? claim.skip(reason) : (createSkip(reason) as never);
}
