import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptContext } from '../attempt-context.ts';
import { type Claim, currentClaim } from '../claim.ts';
import { nowMs } from '../clock.ts';
import { examineOnce } from '../doctor.ts';
import {
  checkOptions,
  type EmailOptions,
  type Performed,
  type PerformOptions,
  type SharedOptions,
} from '../perform-options.ts';
import { markAsOutage } from '../outages.ts';
import { checkFunction } from '../store/check-options.ts';
import { acquire } from './acquire.ts';
import { ActiveClaim, type EffectFunction, runAndClose } from './active-claim.ts';
import { classifiedVerdict, decide, markAsNested } from './decide.ts';
import { recordOutcome } from './record-outcome.ts';
import { withResult } from './result-json.ts';
import { optionsForTest, skipForTest } from './test-mode.ts';
import { watchRequests } from './watch-requests.ts';

/**
 * Runs an effect that sends one email, at most once per key within the retention.
 *
 * If a crash or a broken connection makes it impossible to know whether the email was sent, the
 * email is `in-doubt`: it is listed in the ledger and not sent again before it is resolved, or
 * within `replayWithinMs`, where its provider recognises it as the same email.
 *
 * An effect that decides not to send returns `claim.skip(reason)`.
 *
 * If nothing was sent, the error of the effect is thrown and the claim is released: a retry
 * may send. If the email was sent and the effect failed afterwards, the error is thrown as well,
 * and a retry is a duplicate.
 * @throws {OptionError} for wrong options, before anything runs.
 * @throws {LedgerUnavailableError} when the ledger cannot answer. Nothing was sent.
 * @throws {NotRecordedError} when the outcome could not be recorded.
 *
 * @example
 * const { state } = await perform(() => transporter.sendMail(notice), {
 *   ledger,
 *   key: deriveKey(['delivery-notice', order.id]),
 * });
 */
export async function perform<R>(
  effect: (claim: Claim) => Promise<R> | R,
  options: PerformOptions,
): Promise<Performed<R>> {
  checkFunction('effect', effect);
  checkOptions(options);
  const performNow = (isRepeat = false) =>
    performWith<R>(({ claim }) => effect(claim), options, { ...options, isRepeat });
  return options.waitMs ? waitWhileBusy(performNow, options.waitMs) : performNow();
}

/** Another attempt has the email: asks again until that one has ended, or the time is over. */
async function waitWhileBusy<R>(
  performNow: (isRepeat: boolean) => Promise<Performed<R>>,
  waitMs: number,
): Promise<Performed<R>> {
  const untilMs = nowMs() + waitMs;
  let isRepeat = false;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const performed = await performNow(isRepeat);
    isRepeat = true;
    const leftMs = untilMs - nowMs();
    if (performed.state !== 'busy' || leftMs <= 0) return performed;
    await sleep(Math.min(pauseMs * (0.5 + Math.random() / 2), leftMs));
  }
}

/**
 * For wrappers: {@link perform} for many emails, with options that `checkPerformOptions()`
 * accepted.
 *
 * The whole attempt: acquire the claim, run the effect and close the claim, decide what
 * happened to the email, record it.
 */
export async function performWith<R>(
  effect: EffectFunction<R>,
  options: SharedOptions,
  email: EmailOptions,
): Promise<Performed<R>> {
  if (options.testMode) return performWith<R>(skipForTest, optionsForTest(options), email);
  const context = new AttemptContext(options, email);
  const outerClaim = currentClaim();
  try {
    void examineOnce(context.ledger);
    const acquired = await acquire(context, outerClaim);
    if (acquired.state !== 'won') return context.finish(withResult<R>(acquired));
    if (options.onRepeatedRequest !== 'ignore') watchRequests();
    const active = new ActiveClaim(acquired);
    const closed = await runAndClose(active, effect);
    const outcome = decide(closed.facts, classifiedVerdict(closed, options));
    return await recordOutcome(active, closed, outcome);
  } catch (error) {
    if (context.isOutage(error)) {
      context.emit('unavailable');
      // That of an inner perform() says nothing about the job, whose own email may have been sent.
      if (!outerClaim) markAsOutage(error);
    }
    if (outerClaim) markAsNested(error);
    throw error;
  }
}
