import type { AttemptContext } from '../attempt-context.ts';
import type { Claim } from '../claim.ts';
import { nowMs } from '../clock.ts';
import { askResolver } from '../doubts/ask-resolver.ts';
import { ProcessorError } from '../errors.ts';
import type { Performed } from '../perform-options.ts';
import type { ClaimReply, LedgerRecord, Loss } from '../record.ts';
import { askForDispatch, type Confirm, confirmDispatch, confirmReplay } from './dispatch.ts';
import { endLostClaim, releaseUnsent } from './release-unsent.ts';
import { renewDoubt } from './renew-doubt.ts';

/** A claim that was won less than a lease ago: this attempt may run its effect. */
export interface WonClaim {
  readonly state: 'won';
  readonly context: AttemptContext;
  /** When the request left that the ledger answered with "won": `nowMs()`. */
  readonly requestedAtMs: number;
  /** Asks, directly before the email leaves, whether it may. */
  readonly confirm: Confirm;
  /** Of a replay: until when it may leave, by `nowMs()`. */
  readonly replayUntilMs?: number | undefined;
}

/** Why this attempt does not run its effect. */
export type LostClaim = Loss | Extract<Performed<never>, { state: 'busy' }>;

/**
 * Takes the right to send. An email in doubt is resolved first if its outcome can be found out, and
 * replayed if its provider still recognises the idempotency key.
 * @throws {ProcessorError} when the attempt would wait for its own outer claim.
 * @throws {LedgerUnavailableError}
 */
export async function acquire(
  context: AttemptContext,
  outerClaim: Claim | undefined,
): Promise<WonClaim | LostClaim> {
  let { reply, requestedAtMs } = await claim(context);
  const { token, key, leaseMs } = context.attempt;
  if (reply.state === 'in-doubt' && reply.record.token !== token) {
    const isResolved = await resolveDoubt(context, reply.record);
    if (isResolved) ({ reply, requestedAtMs } = await claim(context));
  }
  switch (reply.state) {
    case 'won':
      context.emit('claimed');
      if (context.mode === 'before-processor') {
        context.emit('dispatched');
        if (nowMs() - requestedAtMs > leaseMs) return confirmLateDispatch(context);
      }
      return { state: 'won', context, requestedAtMs, confirm: confirmDispatch };
    case 'busy':
      if (reply.record.token === outerClaim?.token) throw nestedClaimError(key);
      return reply;
    case 'in-doubt':
      // Its own claim: a client sent the command twice, and two leases passed before this answer.
      if (reply.record.token === token) return endLostClaim(context, reply);
      return replay(context, reply, requestedAtMs);
    case 'duplicate':
    case 'rejected':
    case 'cancelled':
    case 'conflict':
      return reply;
  }
}

interface Claimed {
  readonly reply: ClaimReply;
  /** The claim is confirmed from here on, however late its answer came. */
  readonly requestedAtMs: number;
}

async function claim(context: AttemptContext): Promise<Claimed> {
  const { key, token, leaseMs, retentionMs, job, digest, by, fingerprint } = context.attempt;
  const dispatched = context.mode === 'before-processor';
  const requestedAtMs = nowMs();
  try {
    const texts = { job, digest, by, fingerprint };
    const request = { key, token, leaseMs, retentionMs, ...texts, dispatched };
    return { reply: await context.ledger.claim(request), requestedAtMs };
  } catch (error) {
    // The claim may have been executed and its reply lost. Without a release the email would wait
    // for the end of the lease, or be in doubt though it was never sent.
    const mayBeInDoubt = nowMs() - requestedAtMs > leaseMs;
    context.noteOutage(error);
    await releaseUnsent(context, { mayBeInDoubt, forMs: leaseMs / 3 });
    throw error;
  }
}

/**
 * The answer "won, dispatched" took longer than a lease. It may be older than a doubt that others
 * read, and than the "not sent" of a person: the ledger is asked again before anything is sent.
 */
async function confirmLateDispatch(context: AttemptContext): Promise<WonClaim | LostClaim> {
  try {
    const { reply, requestedAtMs } = await askForDispatch(context, { wasSilent: true });
    if (reply.state !== 'dispatched') return await endLostClaim(context, reply);
    return { state: 'won', context, requestedAtMs, confirm: confirmDispatch };
  } catch (error) {
    const { leaseMs } = context.attempt;
    context.emit(await releaseUnsent(context, { mayBeInDoubt: true, forMs: leaseMs }));
    throw error;
  }
}

/** Whether the doubt of another attempt is resolved now, so that the email can be claimed again. */
async function resolveDoubt(context: AttemptContext, record: LedgerRecord): Promise<boolean> {
  const asked = record.lateNotSent ? itsSender : { resolver: context.options.resolver };
  const { resolver } = asked;
  if (!resolver) return false;
  try {
    if ((await askResolver(context, { record }, { ...asked, resolver })) !== 'unknown') return true;
    // A person may have decided while the resolver was asked. A job that fails for a doubt that is
    // gone would not come back.
    const now = await context.ledger.read(record.key);
    const isOpen = now?.state === 'in-doubt' || now?.state === 'dispatched';
    return !isOpen || now.token !== record.token;
  } catch (error) {
    context.noteOutage(error);
    throw error;
  }
}

/** The sender of an email found out, too late to release its claim, that nothing was sent. */
const itsSender = {
  resolver: async () => 'not-sent' as const,
  by: 'its sender, which found out late that nothing was sent',
};

/**
 * Performs an email in doubt again, as the attempt that dispatched it: with its token and its time.
 * A crash, or another unknown end, leaves the same doubt behind, and the window does not start
 * anew.
 */
async function replay(
  context: AttemptContext,
  doubt: Extract<Loss, { state: 'in-doubt' }>,
  askedAtMs: number,
): Promise<WonClaim | LostClaim> {
  const { replayWithinMs } = context.options;
  // A late "not sent" that could not be resolved now is not replayed: its mark would outlive the
  // replay.
  if (replayWithinMs === undefined || doubt.record.lateNotSent || context.isOver) return doubt;
  // Counted from before the question: however late its answer came, the window ends in time.
  const replayUntilMs = askedAtMs + replayWithinMs - doubt.dispatchedAgoMs;
  const replaying = context.forReplay(doubt.record.token);
  let requestedAtMs = nowMs();
  // Not ">=": a ledger that does not say how long ago must not open the window.
  if (!(requestedAtMs < replayUntilMs)) return doubt;
  do {
    requestedAtMs = nowMs();
    if (!(await renewDoubt(replaying))) return { state: 'busy', retryAfterMs: 0 };
    // An answer that took longer than a lease may be older than a resolution.
  } while (nowMs() - requestedAtMs > context.attempt.leaseMs);
  if (!(nowMs() < replayUntilMs)) {
    await listAgain(replaying, doubt.record);
    return doubt;
  }
  replaying.emit('replayed');
  return { state: 'won', context: replaying, requestedAtMs, confirm: confirmReplay, replayUntilMs };
}

/**
 * Undoes the renewal of a doubt that is not replayed. If that fails, it is listed again after two
 * leases.
 */
async function listAgain({ ledger, attempt }: AttemptContext, record: LedgerRecord): Promise<void> {
  const { job, digest, by, fingerprint, note, messageId } = record;
  const texts = { job, digest, by, fingerprint, note, messageId };
  await ledger.settle({ ...attempt, ...texts, outcome: 'in-doubt' }).catch(() => {});
}

/** The inner claim would wait for the outer one for ever. */
function nestedClaimError(key: string): ProcessorError {
  return new ProcessorError(
    'no',
    `One attempt claims the email ${key} twice, one claim inside the other: once() or @Once() in an ` +
      'OnceWorker, or perform() in a wrapped processor? The inner claim sent nothing. Remove one of the two.',
  );
}
