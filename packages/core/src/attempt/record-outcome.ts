import type { AttemptContext } from '../attempt-context.ts';
import { nowMs } from '../clock.ts';
import { askResolver } from '../doubts/ask-resolver.ts';
import { errorCode } from '../error-code.ts';
import { isSendonceError, type MayHaveLeft, NotRecordedError, NotSentError } from '../errors.ts';
import type { Settlement } from '../ledger.ts';
import type { Performed, Resolver } from '../perform-options.ts';
import type { LedgerRecord, SettleReply } from '../record.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import { lossAgainst } from '../store/loss.ts';
import type { ActiveClaim, ClosedClaim } from './active-claim.ts';
import type { Outcome } from './decide.ts';
import { lossAtDispatch, releaseUnsent } from './release-unsent.ts';
import { serialise, withResult } from './result-json.ts';

/** Writes the outcome into the ledger, and returns or throws what it means for the caller. */
export function recordOutcome<R>(
  claim: ActiveClaim,
  closed: ClosedClaim<R>,
  outcome: Outcome,
): Promise<Performed<R>> {
  switch (outcome) {
    case 'lost':
      return recordLoss(claim);
    case 'sent':
      return recordSent(claim, closed);
    case 'not-sent':
      return releaseAndThrow(claim, closed);
    case 'rejected':
      return recordRejected(claim, closed);
    case 'in-doubt':
      return recordInDoubt(claim, closed);
  }
}

async function recordLoss<R>({ context, loss }: ActiveClaim): Promise<Performed<R>> {
  const lost = await lossAtDispatch(context, loss ?? { state: 'expired' });
  return context.finish(withResult<R>(lost));
}

async function recordSent<R>(
  { context }: ActiveClaim,
  { value, error, report, facts }: ClosedClaim<R>,
): Promise<Performed<R>> {
  const hasFailed = facts.end !== 'returned';
  const result = hasFailed ? {} : serialise(value, context.options);
  const { key, token, leaseMs, retentionMs, job, by, fingerprint } = context.attempt;
  const settlement: Settlement = {
    key,
    token,
    leaseMs,
    retentionMs,
    job,
    by,
    fingerprint,
    outcome: 'sent',
    result: result.json,
    messageId: report?.messageId,
  };
  // A job that fails may run again at once. That run must find the email recorded.
  const settleVia = hasFailed || result.error ? undefined : context.email.settleVia;
  if (settleVia) {
    const { reply, flushed } = settleVia(settlement);
    void ensureSettled(context, settlement, reply);
    await flushed;
  } else {
    const { state } = await settle(context, settlement, 'yes');
    if (state === 'lost') context.emit('unrecorded');
  }
  if (!facts.isDispatched) context.emit('undispatched');
  context.emit('sent', report?.messageId);
  if (hasFailed) throw error;
  if (result.error) throw result.error;
  return { state: 'sent', value: value as R };
}

async function releaseAndThrow<R>(claim: ActiveClaim, closed: ClosedClaim<R>): Promise<never> {
  const { context } = claim;
  const forMs = context.attempt.leaseMs;
  const mayBeInDoubt = closed.wasRequested && claim.lease.wasSilent();
  context.emit(await releaseUnsent(context, { mayBeInDoubt, forMs }));
  throw causeOf(closed) ?? new NotSentError('The processor finished, but its email was not sent.');
}

async function recordRejected<R>(
  { context }: ActiveClaim,
  closed: ClosedClaim<R>,
): Promise<Performed<R>> {
  const error = causeOf(closed);
  const settlement = { ...context.attempt, outcome: 'rejected', ...reasonOf(closed) } as const;
  const reply = await settle(context, settlement, 'no');
  if (reply.state === 'lost') return finishUnrecorded(context, reply.record);
  const record = await readRecorded(context, settlement);
  return context.finish<R>({ state: 'rejected', record, error });
}

async function recordInDoubt<R>(claim: ActiveClaim, closed: ClosedClaim<R>): Promise<Performed<R>> {
  const { context, lease } = claim;
  const error = causeOf(closed);
  const settlement = { ...context.attempt, outcome: 'in-doubt', ...reasonOf(closed) } as const;
  const reply = await settle(context, settlement, 'maybe');
  if (reply.state === 'lost') {
    if (reply.record.state !== 'cancelled') return finishUnrecorded(context, reply.record);
    context.emit('unrecorded');
    throw new NotRecordedError(context.attempt.key, 'maybe', error, true);
  }
  const record = await readRecorded(context, settlement);
  const { resolver } = context.options;
  if (resolver) {
    // Others may have read "in doubt": it is too late for "not sent", see releaseUnsent(). The next
    // attempt asks again, and sends.
    const isLate = closed.wasRequested && lease.wasSilent();
    const doubt = error === undefined ? { record } : { record, error };
    const verdict = await askResolver(context, doubt, isLate ? onlySent(resolver) : resolver);
    if (verdict === 'not-sent') {
      context.emit('released');
      throw error ?? new NotSentError('The resolver found that the email was not sent.');
    }
    if (verdict === 'sent') {
      return context.finish<R>({ state: 'duplicate', record, value: undefined });
    }
  }
  const replayForMs = replayLeftMs(claim);
  const replay = replayForMs > 0 ? { replayForMs } : {};
  return context.finish<R>({ state: 'in-doubt', record, dispatchedAgoMs: 0, error, ...replay });
}

function onlySent(resolver: Resolver): Resolver {
  return async (doubt) => ((await resolver(doubt)) === 'sent' ? 'sent' : 'unknown');
}

function replayLeftMs({ won, context }: ActiveClaim): number {
  if (won.replayUntilMs !== undefined) return won.replayUntilMs - nowMs();
  return context.options.replayWithinMs ?? 0;
}

/** Another attempt, or a person, recorded an outcome first. */
function finishUnrecorded<R>(context: AttemptContext, record: LedgerRecord): Performed<R> {
  context.emit('unrecorded');
  return context.finish(withResult<R>(lossAgainst(record, {}, -Infinity)));
}

async function settle(
  context: AttemptContext,
  settlement: Settlement,
  mayHaveLeft: MayHaveLeft,
): Promise<SettleReply> {
  const { ledger, attempt } = context;
  try {
    return await retryWhileUnavailable(() => ledger.settle(settlement), attempt.leaseMs);
  } catch (error) {
    context.emit('unrecorded');
    throw new NotRecordedError(attempt.key, mayHaveLeft, error);
  }
}

/** Repeats a settle whose reply is not awaited until the ledger has it. If it fails, the email is a listed doubt. */
async function ensureSettled(
  context: AttemptContext,
  settlement: Settlement,
  reply: Promise<SettleReply>,
): Promise<void> {
  const { leaseMs, retentionMs } = context.attempt;
  const settleAgain = () => context.ledger.settle(settlement);
  try {
    const { state } = await reply
      .catch(() => retryWhileUnavailable(settleAgain, leaseMs))
      .catch((error: unknown) => {
        context.emit('unrecorded');
        // The job is done, and only this process knows that the email was sent. When the ledger is
        // back, the doubt becomes a fact.
        if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) {
          return retryWhileUnavailable(settleAgain, retentionMs, false);
        }
        throw error;
      });
    if (state === 'lost') context.emit('unrecorded');
  } catch {
    // The email stays listed.
  }
}

/** The record as the ledger has it (its clock), for the rare paths in which people read it. */
async function readRecorded(
  { ledger, attempt }: AttemptContext,
  settlement: Settlement,
): Promise<LedgerRecord> {
  const record = await ledger.read(attempt.key).catch(() => undefined);
  if (record) return record;
  const { outcome, leaseMs: _lease, retentionMs: _retention, ...texts } = settlement;
  return { ...texts, state: outcome, atMs: Date.now() };
}

/** Why the email was not sent: what the effect threw, or else what was reported. */
function causeOf({ error, report, facts }: ClosedClaim<unknown>): unknown {
  return facts.end === 'returned' ? report?.error : error;
}

function reasonOf(closed: ClosedClaim<unknown>) {
  const { report } = closed;
  return { note: report?.note ?? errorCode(causeOf(closed)), messageId: report?.messageId };
}
