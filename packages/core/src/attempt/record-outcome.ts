import type { AttemptContext } from '../attempt-context.ts';
import { nowMs } from '../clock.ts';
import { askResolver } from '../doubts/ask-resolver.ts';
import { errorCode } from '../error-code.ts';
import { findRetryAfter } from '../retry-after.ts';
import { NotRecordedError, NotSentError, type ResultError, UndispatchedError } from '../errors.ts';
import type { Settlement } from '../ledger.ts';
import type { Performed, Resolver } from '../perform-options.ts';
import type { LedgerRecord, Loss } from '../record.ts';
import { lossAgainst } from '../store/loss.ts';
import type { ActiveClaim, ClosedClaim } from './active-claim.ts';
import type { Outcome } from './decide.ts';
import { endLostClaim, releaseUnsent } from './release-unsent.ts';
import { NOT_AFTER, skipReasonOf } from '../skip.ts';
import { serialise, withResult } from './result-json.ts';
import { readRecorded, settle, settleViaQueue } from './settle.ts';

/** Writes the outcome into the ledger, and returns or throws what it means for the caller. */
export function recordOutcome<R>(
  active: ActiveClaim,
  closed: ClosedClaim<R>,
  outcome: Outcome,
): Promise<Performed<R>> {
  if (isUndispatched(closed)) reportUndispatched(active, closed);
  switch (outcome) {
    case 'lost':
      return recordLoss(active);
    case 'sent':
      return recordSent(active, closed);
    case 'not-sent':
      return releaseAndThrow(active, closed);
    case 'refused':
      return releaseAndThrow(active, closed, refusalOf(closed));
    case 'rejected':
      return recordRejected(active, closed);
    case 'skipped':
      return recordSkipped(active, closed);
    case 'in-doubt':
      return recordInDoubt(active, closed);
  }
}

async function recordLoss<R>({ context, loss }: ActiveClaim): Promise<Performed<R>> {
  const lost = await endLostClaim(context, loss ?? { state: 'expired' });
  return context.finish(withResult<R>(lost));
}

async function recordSent<R>(
  { context }: ActiveClaim,
  { value, error, report, facts }: ClosedClaim<R>,
): Promise<Performed<R>> {
  const hasFailed = facts.end === 'threw';
  const result = hasFailed ? {} : serialise(value, context.options);
  const { key, token, leaseMs, retentionMs, job, digest, by, fingerprint } = context.attempt;
  const settlement: Settlement = {
    key,
    token,
    leaseMs,
    retentionMs,
    job,
    digest,
    by,
    fingerprint,
    outcome: 'sent',
    result: result.json,
    messageId: report?.messageId,
    // Some of the recipients get the email, and these were refused.
    note: report?.refused && `refused: ${report.refused}`,
    undispatched: facts.isDispatched ? undefined : true,
  };
  // A job that fails may run again at once. That run must find the email recorded.
  const settleVia = hasFailed || !facts.isDispatched ? undefined : context.email.settleVia;
  if (settleVia) {
    try {
      await settleViaQueue(context, settlement, settleVia);
    } catch {
      // It is repeated in the background.
    }
  } else {
    const reply = await settle(context, settlement, 'yes');
    if (reply.state === 'lost') {
      context.emit('unrecorded');
      // Cancelled while the effect ran, which passed no dispatch: it must not be reported as
      // "sent".
      if (!facts.isDispatched && reply.record.state === 'cancelled') {
        throw new NotRecordedError(context.attempt.key, 'maybe', error, { cancelled: true });
      }
    }
  }
  if (result.error) reportDroppedResult(context, result.error);
  if (settlement.note) context.emit('partly-refused', { note: settlement.note });
  context.emit('sent', { messageId: report?.messageId });
  if (hasFailed) throw error;
  const resultError = result.error && { resultError: result.error };
  return { state: 'sent', value: value as R, ...resultError };
}

function reportDroppedResult(context: AttemptContext, { message }: ResultError): void {
  context.emit('result-dropped');
  context.warn('SENDONCE_RESULT', message);
}

async function recordSkipped<R>(
  { context, slot }: ActiveClaim,
  { facts }: ClosedClaim<R>,
): Promise<Performed<R>> {
  // As it was checked: what the effect returned may have changed since.
  const reason =
    facts.end === 'skipped' ? (skipReasonOf(slot?.skipped) ?? NOT_AFTER) : 'undispatched';
  const settlement = { ...context.attempt, outcome: 'skipped', note: reason } as const;
  const reply = await settle(context, settlement, 'no');
  // Cancelled meanwhile, or another attempt has the email: it decides for itself.
  if (reply.state === 'lost')
    return context.finish(withResult<R>(lossAgainst(reply.record, {}, 0)));
  return context.finish<R>({ state: 'skipped', reason });
}

async function releaseAndThrow<R>(
  active: ActiveClaim,
  closed: ClosedClaim<R>,
  refusal?: Refusal,
): Promise<never> {
  const { context } = active;
  const forMs = context.attempt.leaseMs;
  const wasDispatched = closed.wasRequested;
  const mayBeInDoubt = closed.wasRequested && active.lease.wasSilent();
  const type = await releaseUnsent(context, { wasDispatched, mayBeInDoubt, forMs });
  context.emit(type, refusal);
  throw causeOf(closed) ?? new NotSentError('The processor finished, but its email was not sent.');
}

async function recordRejected<R>(
  { context }: ActiveClaim,
  closed: ClosedClaim<R>,
): Promise<Performed<R>> {
  const error = causeOf(closed);
  const settlement = { ...context.attempt, outcome: 'rejected', ...reasonOf(closed) } as const;
  const reply = await settle(context, settlement, 'no');
  if (reply.state === 'lost') return context.finish(withResult<R>(lostTo(context, reply.record)));
  const record = await readRecorded(context, settlement);
  return context.finish<R>({ state: 'rejected', record, error });
}

async function recordInDoubt<R>(
  active: ActiveClaim,
  closed: ClosedClaim<R>,
): Promise<Performed<R>> {
  const { context, lease } = active;
  const isBlind = isUndispatched(closed);
  const error = isBlind ? new UndispatchedError(closed.error) : causeOf(closed);
  const reason = isBlind
    ? { note: active.isLate ? 'late-send' : 'undispatched' }
    : reasonOf(closed);
  const settlement = { ...context.attempt, outcome: 'in-doubt', ...reason } as const;
  const reply = await settle(context, settlement, 'maybe');
  if (reply.state === 'lost') {
    const loss = lostTo(context, reply.record);
    if (loss.state === 'busy') {
      // Another attempt is sending now. This one is no less in doubt: it may have sent before.
      const { record } = loss;
      return context.finish<R>({ state: 'in-doubt', record, dispatchedAgoMs: 0, error });
    }
    if (loss.state !== 'cancelled') return context.finish(withResult<R>(loss));
    // It was cancelled while its outcome was unknown: the caller must not take that for "not sent".
    throw new NotRecordedError(context.attempt.key, 'maybe', error, { cancelled: true });
  }
  const record = await readRecorded(context, settlement);
  const { resolver } = context.options;
  if (resolver) {
    // Others may have read "in doubt": it is too late for "not sent", see releaseUnsent(). The next
    // attempt asks again, and sends.
    const isLate = closed.wasRequested && lease.wasSilent();
    const asked = isLate ? onlySent(resolver) : resolver;
    // A "not sent" that the ledger did not answer: the next attempt finds no doubt, or asks again.
    const verdict = await askResolver(context, { record, error }, { resolver: asked }).catch(
      () => 'not-sent' as const,
    );
    if (verdict === 'not-sent') {
      context.emit('released');
      throw error ?? new NotSentError('The resolver found that the email was not sent.');
    }
    if (verdict === 'sent') {
      return context.finish<R>({ state: 'duplicate', record, value: undefined });
    }
  }
  const { replayUntilMs } = active.won;
  const replayForMs =
    replayUntilMs === undefined ? (context.options.replayWithinMs ?? 0) : replayUntilMs - nowMs();
  const replay = replayForMs > 0 && !context.isOver ? { replayForMs } : {};
  const { replayWithinMs = 0 } = context.options;
  const dispatchedAgoMs = replayWithinMs - replayForMs;
  return context.finish<R>({ state: 'in-doubt', record, dispatchedAgoMs, error, ...replay });
}

/**
 * In `at-send` the effect ended, and whether an email left is not known from a dispatch or a
 * report.
 */
function isUndispatched({ facts }: ClosedClaim<unknown>): boolean {
  const { end, reported, isLost, isDispatched, isUnseen } = facts;
  if (isDispatched || isLost || end === 'skipped') return false;
  if (reported !== undefined) return reported === 'sent';
  return end === 'returned' || isUnseen;
}

function reportUndispatched({ context }: ActiveClaim, { facts }: ClosedClaim<unknown>): void {
  context.emit('undispatched');
  if (!facts.isUnseen) return;
  context.warn(
    'SENDONCE_UNDISPATCHED',
    'sendonce: "dispatch" is "at-send", and nothing in this process can dispatch: no transporter has the ' +
      'plugin. Emails that leave unseen are in doubt. Pass "dispatch: atSend(transporter)" of @sendonce/mail, ' +
      'or call claim.dispatch() before each send.',
  );
}

function onlySent(resolver: Resolver): Resolver {
  return async (doubt) => ((await resolver(doubt)) === 'sent' ? 'sent' : 'unknown');
}

/** Another attempt, or a person, recorded something else first. */
function lostTo(context: AttemptContext, record: LedgerRecord): Loss {
  context.emit('unrecorded');
  return lossAgainst(record, {}, 0);
}

/** Why the email was not sent: what the effect threw, or else what was reported. */
function causeOf({ error, report, facts }: ClosedClaim<unknown>): unknown {
  return facts.end === 'threw' ? error : report?.error;
}

/** Why the mail server or the provider refused the email for now, and until when. */
interface Refusal {
  readonly note: string;
  readonly retryAfterMs: number | undefined;
}

function refusalOf(closed: ClosedClaim<unknown>): Refusal {
  const { report, error } = closed;
  const refused = report?.error ?? error;
  const retryAfterMs = report?.retryAfterMs ?? findRetryAfter(refused);
  return { note: report?.note ?? errorCode(refused), retryAfterMs };
}

function reasonOf(closed: ClosedClaim<unknown>) {
  const { report } = closed;
  return { note: report?.note ?? errorCode(causeOf(closed)), messageId: report?.messageId };
}
