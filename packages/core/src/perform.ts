import {
  type Claim,
  currentClaim,
  type DispatchMode,
  type EffectReport,
  type HeldClaim,
  holdClaim,
  runWithClaim,
  type Verdict,
} from './claim.ts';
import {
  isSendonceError,
  NotRecordedError,
  NotSentError,
  OptionError,
  ResultError,
  UnreadableRecordError,
} from './errors.ts';
import { differingFields } from './fingerprint.ts';
import { nowMs } from './clock.ts';
import { insist } from './insist.ts';
import { createToken } from './keys.ts';
import type { Attempt, ClaimReply, Ledger, LedgerRecord, Loss, Settlement } from './ledger.ts';
import {
  checkFunction,
  checkLeaseAndRetention,
  checkLedger,
  checkOneOf,
  checkText,
  describe,
} from './options.ts';

export interface PerformOptions {
  readonly ledger: Ledger;
  /** Which email: from `deriveKey()`. */
  readonly key: string;
  /**
   * `before-processor`: claim and dispatch in one round trip; any error that is not known to mean
   * "nothing was sent" leaves the record in doubt. `at-send`: the effect marks the point by
   * `claim.dispatch()` or the nodemailer plugin; everything thrown before it is safe to retry.
   * @default 'before-processor'
   */
  readonly dispatch?: DispatchMode;
  /** How long a claim lives without a heartbeat, in ms. @default 30_000 */
  readonly leaseMs?: number;
  /** How long an outcome is kept, in ms; at least the lease. @default 604_800_000 (7 days) */
  readonly retentionMs?: number;
  /** From `fingerprintOf()`: another fingerprint under the same key is a conflict. */
  readonly fingerprint?: string;
  /** Who tries, for people: `queue:jobId`. Never an address. */
  readonly by?: string;
  /** The Date that all attempts of this email carry, in ms since 1970. */
  readonly emailDateMs?: number;
  /** Largest result kept for duplicates, in bytes of JSON. @default 16_384 */
  readonly maxResultBytes?: number;
  /** Says what an error of the effect means; undefined means "I do not know". */
  readonly classify?: (error: unknown) => Verdict | undefined;
  /** Asked about an email in doubt, for example by a look-up at the provider. */
  readonly resolver?: Resolver;
  /** Called for every step, synchronously. */
  readonly onEvent?: (event: PerformEvent) => void;
}

/** Finds out about an email in doubt. `unknown`, or an error, leaves it in doubt. */
export type Resolver = (doubt: {
  readonly record: LedgerRecord;
  /** What the effect threw, where the doubt is our own and fresh. */
  readonly error?: unknown;
}) => Promise<'sent' | 'not-sent' | 'unknown'>;

export interface PerformEvent {
  readonly type:
    | 'claimed'
    | 'dispatched'
    | Performed<unknown>['state']
    | 'released'
    /** The lease was lost while the effect ran. */
    | 'lost'
    /** `at-send`, and the effect returned without any dispatch: is the plugin missing? */
    | 'undispatched'
    /** The ledger did not take the outcome. */
    | 'unrecorded';
  readonly key: string;
  readonly token: string;
  readonly by: string | undefined;
}

/** What became of the email. An error that surely sent nothing is thrown on instead. */
export type Performed<R> =
  | { readonly state: 'sent'; readonly value: R }
  /** Settled before, by another attempt: the original's result, if it had one. */
  | { readonly state: 'duplicate'; readonly value: R | undefined; readonly record: LedgerRecord }
  | { readonly state: 'busy'; readonly retryAfterMs: number }
  | { readonly state: 'in-doubt'; readonly record: LedgerRecord; readonly error?: unknown }
  /** Refused for good, now (`error`) or by an earlier attempt. */
  | { readonly state: 'rejected'; readonly record: LedgerRecord; readonly error?: unknown }
  | { readonly state: 'cancelled'; readonly record: LedgerRecord }
  | {
      readonly state: 'conflict';
      readonly fields: readonly string[];
      readonly record: LedgerRecord;
    };

export const DEFAULT_LEASE_MS = 30_000;
export const DEFAULT_RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
export const DEFAULT_MAX_RESULT_BYTES = 16_384;

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

/** What a perform() within another one threw: it says nothing about the email of the outer one. */
const nestedErrors = new WeakSet<object>();

async function performOnce<R>(
  effect: (claim: Claim) => Promise<R> | R,
  run: Run,
): Promise<Performed<R>> {
  const { reply, askedMs } = await claim(run);
  if (reply.state !== 'won') return emitState(run, lossOf<R>(reply, run));

  run.emit('claimed');
  if (run.mode === 'before-processor') run.emit('dispatched');
  const held = holdClaim({
    ledger: run.ledger,
    attempt: run.attempt,
    mode: run.mode,
    emailDateMs: run.options.emailDateMs,
    confirmedMs: askedMs,
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

interface Run {
  readonly ledger: Ledger;
  readonly attempt: Attempt;
  readonly mode: DispatchMode;
  readonly options: PerformOptions;
  readonly emit: (type: PerformEvent['type']) => void;
}

function prepare(options: PerformOptions): Run {
  const {
    leaseMs = DEFAULT_LEASE_MS,
    retentionMs = DEFAULT_RETENTION_MS,
    dispatch = 'before-processor',
    key,
    by,
    fingerprint,
    onEvent,
  } = options;
  checkPerformOptions(options);
  if (typeof key !== 'string' || !/^[\w-]{22}$/.test(key)) {
    throw new OptionError('key', `Expected "key" to come from deriveKey(), got ${describe(key)}.`);
  }
  const attempt: Attempt = {
    key,
    token: createToken(),
    leaseMs,
    retentionMs,
    ...(by !== undefined && { by }),
    ...(fingerprint !== undefined && { fingerprint }),
  };
  return {
    ledger: options.ledger,
    attempt,
    mode: dispatch,
    options,
    emit(type) {
      try {
        onEvent?.({ type, key, token: attempt.token, by });
      } catch (error) {
        // A listener must not decide over an email.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    },
  };
}

/** Checks all options but the key. Wrappers call it at construction. @throws {OptionError} */
export function checkPerformOptions(options: Omit<PerformOptions, 'key'>): void {
  // As in prepare(): only undefined means the default.
  const {
    leaseMs = DEFAULT_LEASE_MS,
    retentionMs = DEFAULT_RETENTION_MS,
    dispatch = 'before-processor',
  } = options;
  checkLedger(options.ledger);
  checkLeaseAndRetention(leaseMs, retentionMs);
  checkOneOf('dispatch', dispatch, ['before-processor', 'at-send']);
  const { maxResultBytes = DEFAULT_MAX_RESULT_BYTES } = options;
  if (!Number.isSafeInteger(maxResultBytes) || maxResultBytes < 0) {
    throw new OptionError(
      'maxResultBytes',
      `Expected "maxResultBytes" to be a whole number of bytes from 0, got ${describe(maxResultBytes)}.`,
    );
  }
  checkText('by', options.by);
  checkText('fingerprint', options.fingerprint);
  const { emailDateMs } = options;
  if (emailDateMs !== undefined && !Number.isSafeInteger(emailDateMs)) {
    throw new OptionError(
      'emailDateMs',
      `Expected "emailDateMs" to be whole milliseconds since 1970, got ${describe(emailDateMs)}.`,
    );
  }
  checkFunction('classify', options.classify, true);
  checkFunction('resolver', options.resolver, true);
  checkFunction('onEvent', options.onEvent, true);
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
      await insist(() => run.ledger.release(run.attempt), leaseMs / 3).catch(() => {});
      throw error;
    }
  };
  const first = await ask();
  const { reply } = first;
  if (reply.state !== 'in-doubt' || !run.options.resolver) return first;
  const verdict = await resolveDoubt(run, reply.record, run.options.resolver);
  return verdict === 'unknown' ? first : ask();
}

/** Asks the resolver and writes its verdict into the ledger. */
async function resolveDoubt(
  run: Run,
  record: LedgerRecord,
  resolver: Resolver,
  error?: unknown,
): Promise<'sent' | 'not-sent' | 'unknown'> {
  const { key, retentionMs, by = 'an attempt' } = run.attempt;
  try {
    const verdict = await resolver(error === undefined ? { record } : { record, error });
    if (verdict !== 'sent' && verdict !== 'not-sent') return 'unknown';
    const resolution = { key, token: record.token, verdict, retentionMs, by: `resolver of ${by}` };
    const { state } = await insist(() => run.ledger.resolve(resolution), run.attempt.leaseMs);
    return state === 'resolved' ? verdict : 'unknown';
  } catch {
    // The doubt stays listed: that is the answer to a resolver that fails.
    return 'unknown';
  }
}

function lossOf<R>(loss: Loss, run: Run): Performed<R> {
  const { record } = loss;
  switch (loss.state) {
    case 'duplicate':
      if (record.state === 'rejected') return { state: 'rejected', record };
      return { state: 'duplicate', record, value: parseResult<R>(record) };
    case 'busy':
      return { state: 'busy', retryAfterMs: loss.retryAfterMs };
    case 'in-doubt':
    case 'cancelled':
      return { state: loss.state, record };
    case 'conflict': {
      const fields = differingFields(record.fingerprint ?? '', run.attempt.fingerprint ?? '');
      return { state: 'conflict', fields, record };
    }
  }
}

function parseResult<R>(record: LedgerRecord): R | undefined {
  if (record.result === undefined) return undefined;
  try {
    return JSON.parse(record.result) as R;
  } catch {
    throw new UnreadableRecordError(record.key, 'its result is not JSON');
  }
}

type Ended<R> =
  | { readonly threw: false; readonly value: R }
  | { readonly threw: true; readonly error: unknown };

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

async function conclude<R>(run: Run, held: HeldClaim, ended: Ended<R>): Promise<Performed<R>> {
  const loss = held.loss();
  if (loss) return emitState(run, afterLoss<R>(run, loss));

  const report = held.lastReport();
  const verdict = known(report ? report.verdict : verdictOf(run, held, ended));
  const error = ended.threw ? ended.error : report?.error;
  switch (verdict) {
    case 'sent':
      return concludeSent(run, held, ended, report);
    case 'not-sent':
    case 'refused':
      await giveBack(run);
      throw error ?? new NotSentError('The processor returned, but its email was not sent.');
    case 'rejected':
    case 'unknown':
      return concludeUnsent(run, verdict, error, report);
  }
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
  const reply = await settle(run, 'yes', {
    ...run.attempt,
    outcome: 'sent',
    ...(result.json !== undefined && { result: result.json }),
    ...(report?.messageId !== undefined && { messageId: report.messageId }),
  });
  if (reply.state === 'lost') run.emit('unrecorded');
  if (!held.dispatched()) run.emit('undispatched');
  run.emit('sent');
  if (ended.threw) throw ended.error;
  if (result.error) throw result.error;
  return { state: 'sent', value: ended.value };
}

async function concludeUnsent<R>(
  run: Run,
  verdict: 'rejected' | 'unknown',
  error: unknown,
  report: EffectReport | undefined,
): Promise<Performed<R>> {
  const outcome = verdict === 'rejected' ? 'rejected' : 'in-doubt';
  const settlement: Settlement = {
    ...run.attempt,
    outcome,
    note: report?.note ?? codeOf(error),
    ...(report?.messageId !== undefined && { messageId: report.messageId }),
  };
  const reply = await settle(run, verdict === 'rejected' ? 'no' : 'maybe', settlement);
  if (reply.state === 'lost') {
    run.emit('unrecorded');
    return emitState(run, lossOf<R>(lossFrom(reply.record), run));
  }
  const record = await recordAfter(run, settlement);
  if (outcome === 'rejected') return emitState<R>(run, { state: 'rejected', record, error });

  const { resolver } = run.options;
  const found = resolver ? await resolveDoubt(run, record, resolver, error) : 'unknown';
  if (found === 'not-sent') {
    run.emit('released');
    throw error ?? new NotSentError('The resolver found that the email was not sent.');
  }
  if (found === 'sent') return emitState<R>(run, { state: 'duplicate', record, value: undefined });
  return emitState<R>(run, { state: 'in-doubt', record, error });
}

/** Lost at dispatch: nothing was sent by us, another run of the job will decide what it means. */
function afterLoss<R>(run: Run, loss: NonNullable<ReturnType<HeldClaim['loss']>>): Performed<R> {
  const comeBack = loss.state === 'expired' || loss.state === 'in-doubt';
  return comeBack ? { state: 'busy', retryAfterMs: 0 } : lossOf<R>(loss, run);
}

async function giveBack(run: Run): Promise<void> {
  try {
    const { state } = await insist(() => run.ledger.release(run.attempt), run.attempt.leaseMs);
    run.emit(state === 'released' ? 'released' : 'unrecorded');
  } catch {
    // The effect's own error goes on. The claim runs out, or falls in doubt and is listed.
    run.emit('unrecorded');
  }
}

async function settle(run: Run, mayHaveLeft: 'yes' | 'no' | 'maybe', settlement: Settlement) {
  try {
    return await insist(() => run.ledger.settle(settlement), run.attempt.leaseMs);
  } catch (error) {
    run.emit('unrecorded');
    throw new NotRecordedError(run.attempt.key, mayHaveLeft, error);
  }
}

/** The record as the ledger has it (its clock, its label), for the rare paths where people read it. */
async function recordAfter(run: Run, settlement: Settlement): Promise<LedgerRecord> {
  const record = await run.ledger.read(run.attempt.key).catch(() => undefined);
  if (record) return record;
  const { outcome, leaseMs: _lease, retentionMs: _retention, ...known } = settlement;
  return { ...known, state: outcome, atMs: Date.now() };
}

function lossFrom(record: LedgerRecord): Loss {
  if (record.state === 'sent' || record.state === 'rejected') return { state: 'duplicate', record };
  if (record.state === 'cancelled') return { state: 'cancelled', record };
  return { state: 'in-doubt', record };
}

function serialise(value: unknown, options: PerformOptions): { json?: string; error?: Error } {
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

/** A short code for people; never the message, which may hold an address. */
function codeOf(error: unknown): string {
  const { responseCode, code, name } = (error ?? {}) as Record<string, unknown>;
  for (const part of [responseCode, code, name]) {
    if (typeof part === 'number' || (typeof part === 'string' && /^[\w.-]{1,40}$/.test(part))) {
      return String(part);
    }
  }
  return 'error';
}

function emitState<R>(run: Run, performed: Performed<R>): Performed<R> {
  run.emit(performed.state);
  return performed;
}
