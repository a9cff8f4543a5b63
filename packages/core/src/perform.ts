import {
  type Claim,
  currentClaim,
  type HeldClaim,
  holdClaim,
  runWithClaim,
  takeUp,
} from './claim.ts';
import { nowMs } from './clock.ts';
import { conclude, concludeLoss, type Ended, giveBack, nestedErrors } from './conclude.ts';
import { examineOnce } from './doctor.ts';
import { SendonceError } from './errors.ts';
import type { ClaimReply, LedgerRecord } from './ledger.ts';
import { checkFunction } from './options.ts';
import type { Performed, PerformOptions, Resolver } from './perform-options.ts';
import { emitState, KNOWN_NOT_SENT, lossOf, prepare, resolveDoubt, type Run } from './run.ts';

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
  const run = prepare(options);
  const nested = currentClaim() !== undefined;
  try {
    return await performOnce(effect, run);
  } catch (error) {
    if (nested && typeof error === 'object' && error) nestedErrors.add(error);
    throw error;
  }
}

async function performOnce<R>(
  effect: (claim: Claim) => Promise<R> | R,
  run: Run,
): Promise<Performed<R>> {
  void examineOnce(run.ledger);
  const { reply, askedMs } = await claim(run);
  if (reply.state === 'busy' && reply.record.token === currentClaim()?.token) {
    throw claimedAround(run.attempt.key);
  }
  if (reply.state === 'in-doubt' && reply.record.token === run.attempt.token) {
    return concludeLoss(run, reply);
  }
  if (reply.state === 'in-doubt') {
    const { replayWithinMs = 0 } = run.options;
    const leftMs = replayWithinMs - reply.dispatchedAgoMs;
    // Counted from before the question: however late its answer came, the window ends in time.
    if (leftMs > 0)
      return replay(effect, { ...run, replayUntilMs: askedMs + leftMs }, reply.record);
  }
  if (reply.state !== 'won') return emitState(run, lossOf<R>(reply, run));

  run.emit('claimed');
  if (run.mode === 'before-processor') run.emit('dispatched');
  return performHeld(effect, run, askedMs);
}

/**
 * Performs an email in doubt again, as the attempt that dispatched it: its token, its time. So a crash,
 * or another unknown end, leaves the same doubt behind, and the window does not begin anew.
 */
async function replay<R>(
  effect: (claim: Claim) => Promise<R> | R,
  run: Run,
  { token }: LedgerRecord,
): Promise<Performed<R>> {
  const again = { ...run, attempt: { ...run.attempt, token }, mode: 'before-processor' as const };
  const askedMs = nowMs();
  if (!(await takeUp(run.ledger, again.attempt))) {
    return emitState(run, { state: 'busy', retryAfterMs: 0 });
  }
  run.emit('replayed');
  return performHeld(effect, again, askedMs);
}

async function performHeld<R>(
  effect: (claim: Claim) => Promise<R> | R,
  run: Run,
  confirmedMs: number,
): Promise<Performed<R>> {
  const held = holdClaim({
    ledger: run.ledger,
    attempt: run.attempt,
    mode: run.mode,
    emailDateMs: run.options.emailDateMs,
    confirmedMs,
    mayBeReplayed: run.options.replayWithinMs !== undefined,
    replayUntilMs: run.replayUntilMs,
    onDispatched: () => run.emit('dispatched'),
    onLost: () => run.emit('lost'),
  });
  let ended: Ended<R>;
  try {
    ended = await runEffect(effect, held);
  } finally {
    // Before the settling: a heartbeat after "in doubt" would say that somebody is still sending.
    held.drop();
  }
  return conclude(run, held, ended);
}

/** It would wait for itself for ever. */
function claimedAround(key: string): Error {
  return new SendonceError(
    'SENDONCE_PROCESSOR',
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
  const request = { ...run.attempt, dispatched: run.mode === 'before-processor' };
  const ask = async (): Promise<Claimed> => {
    const askedMs = nowMs();
    try {
      return { reply: await run.ledger.claim(request), askedMs };
    } catch (error) {
      // The claim may have been executed and its reply lost: give it back, or the email would wait
      // out a lease, or be in doubt though it never left.
      const { leaseMs } = run.attempt;
      await giveBack(run, nowMs() - askedMs > leaseMs, leaseMs / 3);
      throw error;
    }
  };
  const first = await ask();
  const { reply } = first;
  if (reply.state !== 'in-doubt' || reply.record.token === run.attempt.token) return first;
  const known = reply.record.note === KNOWN_NOT_SENT;
  const resolver = known ? notSent : run.options.resolver;
  if (!resolver) return first;
  const verdict = await resolveDoubt(run, reply.record, resolver);
  return verdict === 'unknown' ? first : ask();
}

const notSent: Resolver = async () => 'not-sent';

async function runEffect<R>(
  effect: (claim: Claim) => Promise<R> | R,
  held: HeldClaim,
): Promise<Ended<R>> {
  let ended: Ended<R>;
  try {
    await held.confirm();
    const value = await runWithClaim(held.claim, () => effect(held.claim));
    ended = { threw: false, value };
  } catch (error) {
    ended = { threw: true, error };
  }
  await held.end();
  return ended;
}
