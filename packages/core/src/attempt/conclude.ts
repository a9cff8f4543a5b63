import { nowMs } from '../clock.ts';
import type { EffectReport, Verdict } from '../claim.ts';
import { isSendonceError, NotRecordedError, NotSentError, ResultError } from '../errors.ts';
import type { DispatchLoss, HeldClaim } from './held-claim.ts';
import { errorCode } from '../error-code.ts';
import { lossAgainst } from '../store/loss.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import type { Settlement } from '../ledger.ts';
import type { LedgerRecord, SettleReply } from '../record.ts';
import {
  DEFAULT_MAX_RESULT_BYTES,
  type Performed,
  type Resolver,
  type SharedOptions,
} from '../perform-options.ts';
import { emitState, lossOf, resolveDoubt, type Run } from './run.ts';

/** How an effect ended. */
export type Ended<R> =
  | { readonly threw: false; readonly value: R }
  | { readonly threw: true; readonly error: unknown };

/** Errors that a perform() within another one threw: they say nothing about the outer email. */
export const nestedErrors = new WeakSet<object>();

/** Settles, releases or leaves in doubt, by what is known about the email. */
export function conclude<R>(run: Run, held: HeldClaim, ended: Ended<R>): Promise<Performed<R>> {
  const loss = held.loss();
  if (loss) return concludeLoss(run, loss);

  const report = held.lastReport();
  const verdict = known(report ? report.verdict : verdictOf(run, held, ended));
  const error = ended.threw ? ended.error : report?.error;
  // A replay that did not get through says nothing about the dispatch that it repeats, nor does a
  // sender that others may have replayed while it was silent.
  const mayBeReplayed =
    run.options.replayWithinMs !== undefined && held.dispatched() && held.mayBeInDoubt();
  if ((run.replayUntilMs !== undefined || mayBeReplayed) && verdict !== 'sent') {
    return concludeUnsent(run, held, 'unknown', error, report);
  }
  switch (verdict) {
    case 'sent':
      return concludeSent(run, held, ended, report);
    case 'not-sent':
    case 'refused':
      return concludeNotSent(run, held, error);
    case 'rejected':
    case 'unknown':
      return concludeUnsent(run, held, verdict, error, report);
  }
}

async function concludeNotSent(run: Run, held: HeldClaim, error: unknown): Promise<never> {
  run.emit(await giveBack(run, held.mayBeInDoubt(), run.attempt.leaseMs));
  throw error ?? new NotSentError('The processor ended, and its email was surely not sent.');
}

/** What an end without a report means. */
function verdictOf<R>(run: Run, held: HeldClaim, ended: Ended<R>): Verdict {
  if (!ended.threw) return 'sent';
  if (!held.dispatched()) return 'not-sent';
  if (nestedErrors.has(ended.error as object)) return 'unknown';
  if (isSendonceError(ended.error, 'SENDONCE_NOT_SENT')) return 'not-sent';
  try {
    return run.options.classify?.(ended.error) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** A word that is no verdict, or a promise of one, means that nobody knows. */
function known(verdict: Verdict): Verdict {
  const verdicts: readonly Verdict[] = ['sent', 'not-sent', 'refused', 'rejected', 'unknown'];
  return verdicts.includes(verdict) ? verdict : 'unknown';
}

async function concludeSent<R>(
  run: Run,
  held: HeldClaim,
  ended: Ended<R>,
  report: EffectReport | undefined,
): Promise<Performed<R>> {
  const result = ended.threw ? {} : serialise(ended.value, run.options);
  const { key, token, leaseMs, retentionMs, job, by, fingerprint } = run.attempt;
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
  // A job that fails now may run again at once: that must find it recorded.
  const { settleVia } = ended.threw || result.error ? {} : run.email;
  if (settleVia) {
    const { reply, flushed } = settleVia(settlement);
    void settleBeside(run, settlement, reply);
    await flushed;
  } else if ((await settle(run, 'yes', settlement)).state === 'lost') run.emit('unrecorded');
  if (!held.dispatched()) run.emit('undispatched');
  run.emit('sent', report?.messageId);
  if (ended.threw) throw ended.error;
  if (result.error) throw result.error;
  return { state: 'sent', value: ended.value };
}

async function concludeUnsent<R>(
  run: Run,
  held: HeldClaim,
  verdict: 'rejected' | 'unknown',
  error: unknown,
  report: EffectReport | undefined,
): Promise<Performed<R>> {
  const outcome = verdict === 'rejected' ? 'rejected' : 'in-doubt';
  const settlement: Settlement = {
    ...run.attempt,
    outcome,
    note: report?.note ?? errorCode(error),
    messageId: report?.messageId,
  };
  const reply = await settle(run, verdict === 'rejected' ? 'no' : 'maybe', settlement);
  if (reply.state === 'lost') {
    run.emit('unrecorded');
    if (outcome === 'in-doubt' && reply.record.state === 'cancelled') {
      throw new NotRecordedError(run.attempt.key, 'maybe', error, true);
    }
    return emitState(run, lossOf<R>(lossAgainst(reply.record, {}, -Infinity)));
  }
  const record = await recordAfter(run, settlement);
  if (outcome === 'rejected') return emitState<R>(run, { state: 'rejected', record, error });

  const { resolver } = run.options;
  // Too late for "not sent", see giveBack(): the next attempt asks again, and sends.
  const asked = resolver && held.mayBeInDoubt() ? sentOrUnknown(resolver) : resolver;
  const found = asked ? await resolveDoubt(run, record, asked, error) : 'unknown';
  if (found === 'not-sent') {
    run.emit('released');
    throw error ?? new NotSentError('The resolver found that the email was not sent.');
  }
  if (found === 'sent') return emitState<R>(run, { state: 'duplicate', record, value: undefined });
  const replayForMs = replayLeftMs(run);
  return emitState<R>(run, {
    state: 'in-doubt',
    record,
    dispatchedAgoMs: 0,
    error,
    ...(replayForMs > 0 && { replayForMs }),
  });
}

function sentOrUnknown(resolver: Resolver): Resolver {
  return async (doubt) => ((await resolver(doubt)) === 'sent' ? 'sent' : 'unknown');
}

function replayLeftMs({ replayUntilMs, options }: Run): number {
  if (replayUntilMs !== undefined) return replayUntilMs - nowMs();
  return options.replayWithinMs ?? 0;
}

/** Lost at dispatch: nothing was sent by us, another run of the job will decide what it means. */
export async function concludeLoss<R>(run: Run, loss: DispatchLoss): Promise<Performed<R>> {
  if (loss.state !== 'expired' && loss.state !== 'in-doubt') {
    return emitState(run, lossOf<R>(loss));
  }
  // The doubt is its own: it was silent for too long, and surely has sent nothing.
  if (loss.state === 'in-doubt' && loss.record.token === run.attempt.token) {
    run.emit(await giveBack(run, true, run.attempt.leaseMs));
  }
  return emitState(run, { state: 'busy', retryAfterMs: 0 });
}

/**
 * Gives back what surely was not sent. Whoever was told "in doubt" meanwhile has failed for good, and nobody
 * may come again by himself: then it stays listed, with a note by which the next attempt sends it.
 * @param mayBeInDoubt it was silent for longer than a lease: a heartbeat since may hide the doubt.
 */
export async function giveBack(
  run: Run,
  mayBeInDoubt: boolean,
  forMs: number,
): Promise<'released' | 'in-doubt' | 'unrecorded'> {
  const { ledger, attempt } = run;
  // Others may have performed it again under this token, and decide.
  const mayBeReplayed = run.options.replayWithinMs !== undefined;
  if (mayBeInDoubt && mayBeReplayed) return 'in-doubt';
  try {
    if (!mayBeInDoubt || !(await hasDispatched(run, forMs))) {
      const { state } = await retryWhileUnavailable(() => ledger.release(attempt), forMs);
      if (state !== 'in-doubt') return state === 'released' ? state : 'unrecorded';
    }
    if (mayBeReplayed) return 'in-doubt';
    const doubt = { ...attempt, outcome: 'in-doubt', lateNotSent: true } as const;
    const { state } = await retryWhileUnavailable(() => ledger.settle(doubt), forMs);
    return state === 'settled' ? 'in-doubt' : 'unrecorded';
  } catch {
    // What broke goes on. The claim runs out, or falls in doubt and is listed.
    return 'unrecorded';
  }
}

/** Asked first: a doubt is written over an absent record, too, where there was none. */
async function hasDispatched({ ledger, attempt }: Run, forMs: number): Promise<boolean> {
  const record = await retryWhileUnavailable(() => ledger.read(attempt.key), forMs);
  const isOpen = record?.state === 'dispatched' || record?.state === 'in-doubt';
  return isOpen && record.token === attempt.token;
}

async function settle(run: Run, mayHaveLeft: 'yes' | 'no' | 'maybe', settlement: Settlement) {
  try {
    return await retryWhileUnavailable(() => run.ledger.settle(settlement), run.attempt.leaseMs);
  } catch (error) {
    run.emit('unrecorded');
    throw new NotRecordedError(run.attempt.key, mayHaveLeft, error);
  }
}

/** Nobody waits for it: what fails here is a doubt, and never a second email. */
async function settleBeside(
  run: Run,
  settlement: Settlement,
  reply: Promise<SettleReply>,
): Promise<void> {
  const { leaseMs, retentionMs } = run.attempt;
  const settle = () => run.ledger.settle(settlement);
  try {
    const { state } = await reply
      .catch(() => retryWhileUnavailable(settle, leaseMs))
      .catch((error: unknown) => {
        run.emit('unrecorded');
        // The job is done, and nobody else knows: the doubt is turned into fact when the ledger is back.
        if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE'))
          return retryWhileUnavailable(settle, retentionMs, false);
        throw error;
      });
    if (state === 'lost') run.emit('unrecorded');
  } catch {
    // It stays listed.
  }
}

/** The record as the ledger has it (its clock, its label), for the rare paths where people read it. */
async function recordAfter(run: Run, settlement: Settlement): Promise<LedgerRecord> {
  const record = await run.ledger.read(run.attempt.key).catch(() => undefined);
  if (record) return record;
  const { outcome, leaseMs: _lease, retentionMs: _retention, ...known } = settlement;
  return { ...known, state: outcome, atMs: Date.now() };
}

function serialise(value: unknown, options: SharedOptions): { json?: string; error?: Error } {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    return {
      error: new ResultError(
        'The email was sent, but the result of the processor is not JSON (a BigInt, a cycle?). The ' +
          'email is recorded as sent, without result. Return plain data.',
        cause,
      ),
    };
  }
  if (json === undefined) return {};
  const { maxResultBytes = DEFAULT_MAX_RESULT_BYTES } = options;
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxResultBytes) return { json };
  return {
    error: new ResultError(
      `The email was sent, but its result has ${bytes} bytes of JSON, more than "maxResultBytes" ` +
        `(${maxResultBytes}). The email is recorded as sent, without result. Return less, or raise the option.`,
    ),
  };
}
