import { currentClaim } from '@sendonce/core';
import { createSkip } from '@sendonce/core/ledger';

/**
 * Decides not to send. The processor must return the value that this function returns. The job then
 * completes without a result, its log says why, and the email is recorded as `skipped`. A skip
 * blocks nothing: the same email may be scheduled and sent later.
 *
 * It also works in a sandboxed file, and in a unit test that calls the processor directly.
 *
 * @param reason a short code for people, such as `unsubscribed`: 1 to 100 characters, never an
 *   address.
 * @returns a mark for {@link once}. Its type is `never`, so that the type of the processor's result
 *   stays as it is.
 * @throws {SkipError} for a reason that cannot be stored, after an email that may have been sent,
 *   and for a second skip.
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
