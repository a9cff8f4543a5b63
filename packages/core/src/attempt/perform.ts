import { type Claim, currentClaim, runWithClaim } from '../claim.ts';
import { nowMs } from '../clock.ts';
import { conclude, concludeLoss, type Ended, giveBack, nestedErrors } from './conclude.ts';
import { examineOnce } from '../doctor.ts';
import { ProcessorError } from '../errors.ts';
import { HeldClaim, takeUp } from './held-claim.ts';
import type { ClaimReply } from '../record.ts';
import { refuseObservable } from '../refuse-observable.ts';
import { checkFunction } from '../store/check-options.ts';
import {
  checkPerformOptions,
  type EmailOptions,
  type Performed,
  type PerformOptions,
  type Resolver,
  type SharedOptions,
} from '../perform-options.ts';
import { emitState, lossOf, resolveDoubt, Run } from './run.ts';

/**
 * Runs an effect that sends one email, at most once per key within the retention: claim, dispatch,
 * effect, settle. Never twice, never lost in silence; where a sender dies or a connection breaks
 * between dispatch and outcome nobody can know, and the email is `in-doubt`: listed, and resolved.
 *
 * Throws what the effect threw where surely nothing was sent (the claim is then given back), and
 * where the email was sent and the effect failed afterwards (a retry is then a duplicate).
 * @throws {OptionError} for wrong options, before anything runs.
 * @throws {LedgerUnavailableError} when the ledger cannot answer; nothing was sent.
 * @throws {NotRecordedError} when the outcome could not be recorded.
 * @throws {ResultError} when the email was sent and its result cannot be kept.
 */
export async function perform<R>(
  effect: (claim: Claim) => Promise<R> | R,
  options: PerformOptions,
): Promise<Performed<R>> {
  checkFunction('effect', effect);
  checkPerformOptions(options);
  return performWith((held) => effect(held.claim), options, options);
}

/**
 * For wrappers: perform() for many emails with options that `checkPerformOptions()` has accepted. Only what there
 * is to wait for is awaited, and little is made: a promise or an object more is paid by every job.
 */
export async function performWith<R>(
  effect: (held: { readonly claim: Claim }) => Promise<R> | R,
  options: SharedOptions,
  email: EmailOptions,
): Promise<Performed<R>> {
  const run = new Run(options, email);
  const around = currentClaim();
  try {
    void examineOnce(run.ledger);
    let claimed = await claim(run);
    if (claimed.reply.state === 'in-doubt') claimed = await claimAgain(run, claimed);
    const { reply, askedMs } = claimed;
    if (reply.state === 'won') {
      run.emit('claimed');
      if (run.mode === 'before-processor') run.emit('dispatched');
      return await performHeld(effect, run, askedMs);
    }
    if (reply.state === 'busy' && reply.record.token === around?.token) {
      throw claimedAround(run.attempt.key);
    }
    if (reply.state === 'in-doubt' && reply.record.token === run.attempt.token) {
      return await concludeLoss(run, reply);
    }
    if (reply.state === 'in-doubt') {
      const { replayWithinMs = 0 } = options;
      const leftMs = replayWithinMs - reply.dispatchedAgoMs;
      // Counted from before the question: however late its answer came, the window ends in time.
      if (leftMs > 0) return await replay(effect, run.again(reply.record.token, askedMs + leftMs));
    }
    return emitState(run, lossOf<R>(reply));
  } catch (error) {
    if (around && typeof error === 'object' && error) nestedErrors.add(error);
    throw error;
  }
}

/**
 * Performs an email in doubt again, as the attempt that dispatched it: its token, its time. So a crash,
 * or another unknown end, leaves the same doubt behind, and the window does not begin anew.
 */
async function replay<R>(
  effect: (held: { readonly claim: Claim }) => Promise<R> | R,
  run: Run,
): Promise<Performed<R>> {
  const askedMs = nowMs();
  if (!(await takeUp(run.ledger, run.attempt))) {
    return emitState(run, { state: 'busy', retryAfterMs: 0 });
  }
  run.emit('replayed');
  return performHeld(effect, run, askedMs);
}

async function performHeld<R>(
  effect: (held: { readonly claim: Claim }) => Promise<R> | R,
  run: Run,
  confirmedMs: number,
): Promise<Performed<R>> {
  const held = new HeldClaim(run, confirmedMs);
  let ended: Ended<R>;
  try {
    const confirming = held.confirm();
    if (confirming) await confirming;
    const returned = runWithClaim(held, () => effect(held));
    refuseObservable(returned, 'no');
    const value = await returned;
    // What is awaited has run, and may have sent before it returned this.
    refuseObservable(value, 'maybe');
    ended = { threw: false, value };
  } catch (error) {
    ended = { threw: true, error };
  }
  const ending = held.end();
  if (ending) await ending;
  // Before the settling: a heartbeat after "in doubt" would say that somebody is still sending.
  held.drop();
  return conclude(run, held, ended);
}

/** It would wait for itself for ever. */
function claimedAround(key: string): Error {
  return new ProcessorError(
    'no',
    `The email ${key} is claimed twice by one attempt, one claim inside the other: by once() or @Once() in ` +
      'an OnceWorker, or perform() in a wrapped processor? The inner one sent nothing. Leave one of them out.',
  );
}

interface Claimed {
  readonly reply: ClaimReply;
  /** When the question left: the claim is confirmed from here, however late its answer came. */
  readonly askedMs: number;
}

async function claim(run: Run): Promise<Claimed> {
  const { key, token, leaseMs, retentionMs, job, by, fingerprint } = run.attempt;
  const dispatched = run.mode === 'before-processor';
  const askedMs = nowMs();
  try {
    const request = { key, token, leaseMs, retentionMs, job, by, fingerprint, dispatched };
    return { reply: await run.ledger.claim(request), askedMs };
  } catch (error) {
    // The claim may have been executed and its reply lost: give it back, or the email would wait
    // out a lease, or be in doubt though it never left.
    await giveBack(run, nowMs() - askedMs > leaseMs, leaseMs / 3);
    throw error;
  }
}

/** Claims an email in doubt when somebody knows what became of it. */
async function claimAgain(run: Run, claimed: Claimed): Promise<Claimed> {
  const { record } = claimed.reply as Extract<ClaimReply, { state: 'in-doubt' }>;
  if (record.token === run.attempt.token) return claimed;
  const known = record.lateNotSent;
  const resolver = known ? notSent : run.options.resolver;
  if (!resolver) return claimed;
  const verdict = await resolveDoubt(run, record, resolver);
  return verdict === 'unknown' ? claimed : claim(run);
}

const notSent: Resolver = async () => 'not-sent';
