import type { Attempt, LedgerRecord, Loss } from '@sendonce/core';
import {
  checkListState,
  type Cancellation,
  type CancelReply,
  type ClaimReply,
  type ClaimRequest,
  type DispatchReply,
  type Ledger,
  listRecords,
  lossAgainst,
  type ReleaseReply,
  type Resolution,
  type ResolveReply,
  type Settlement,
  type SettleReply,
} from '@sendonce/core/ledger';
import { unavailableError } from './errors.ts';
import type { LedgerSession } from './ledger-session.ts';
import { RECORD_FORMAT, type Reply } from './record.ts';

export async function claim(
  { run, claims }: LedgerSession,
  request: ClaimRequest,
): Promise<ClaimReply> {
  const { key, token, job, digest, by, fingerprint, dispatched = false } = request;
  const reply = await run({ verb: 'claim', key, token, job, digest, by, fingerprint, dispatched });
  if (reply.status !== 'won') return lossFrom(reply, request, request.leaseMs);
  claims.held.confirm(request);
  return { state: 'won' };
}

export async function dispatch(
  { run, claims }: LedgerSession,
  attempt: Attempt,
): Promise<DispatchReply> {
  const { key, token, leaseMs } = attempt;
  const reply = await run({ verb: 'dispatch', key, token });
  if (reply.status === 'dispatched') {
    claims.held.confirm(attempt);
    return { state: 'dispatched' };
  }
  claims.held.remove(token);
  if (reply.status === 'expired') return { state: 'expired' };
  return lossFrom(reply, {}, leaseMs);
}

export async function settle(
  { run, claims }: LedgerSession,
  settlement: Settlement,
): Promise<SettleReply> {
  const { key, token, job, digest, by, fingerprint, outcome, messageId, note, retentionMs } =
    settlement;
  claims.held.markEnding(token);
  const reply = await run({
    verb: 'settle',
    key,
    token,
    outcome,
    retentionMs,
    job,
    digest,
    by,
    fingerprint,
    messageId,
    note,
    result: outcome === 'sent' ? settlement.result : undefined,
    lateNotSent: outcome === 'in-doubt' ? settlement.lateNotSent : undefined,
    undispatched: outcome === 'sent' ? settlement.undispatched : undefined,
  });
  claims.held.remove(token);
  if (reply.status === 'settled') return { state: 'settled' };
  return { state: 'lost', record: existingRecord(reply) };
}

export async function release(
  { run, claims }: LedgerSession,
  { key, token }: Pick<Attempt, 'key' | 'token'>,
): Promise<ReleaseReply> {
  claims.held.markEnding(token);
  const { status } = await run({ verb: 'release', key, token });
  claims.held.remove(token);
  return { state: status === 'released' || status === 'in-doubt' ? status : 'lost' };
}

export async function read(
  { run }: Pick<LedgerSession, 'run'>,
  key: string,
): Promise<LedgerRecord | undefined> {
  return (await run({ verb: 'read', key })).record;
}

export async function* list(
  session: LedgerSession,
  { state }: Parameters<Ledger['list']>[0],
): AsyncGenerator<LedgerRecord> {
  checkListState(state);
  const text = `SELECT key FROM ${session.schema}.open_keys($1, $2, $3) key`;
  const rows = await session.query(text, ({ lock }) => [state === 'in-doubt', lock, RECORD_FORMAT]);
  const keys = rows.map((row) => String(row['key']));
  yield* listRecords(keys, { read: (key) => read(session, key) }, state);
}

export async function resolve(
  { run }: LedgerSession,
  { key, token, verdict, by, retentionMs }: Resolution,
): Promise<ResolveReply> {
  const reply = await run({ verb: 'resolve', key, token, outcome: verdict, retentionMs, by });
  if (reply.status === 'resolved') return { state: 'resolved' };
  return { state: 'not-in-doubt', record: reply.record };
}

export async function cancel(
  { run }: LedgerSession,
  { key, by, retentionMs }: Cancellation,
): Promise<CancelReply> {
  const reply = await run({ verb: 'cancel', key, by, retentionMs });
  if (reply.status === 'cancelled') return { state: 'cancelled' };
  return { state: 'too-late', record: existingRecord(reply) };
}

/** A session may die at any moment, and its claims with it: a busy email is tried again soon. */
function lossFrom(reply: Reply, attempt: Pick<Attempt, 'fingerprint'>, leaseMs: number): Loss {
  const record = existingRecord(reply);
  const isInDoubt = record.state === 'in-doubt';
  return lossAgainst(record, attempt, isInDoubt ? -(reply.agoMs ?? 0) : Math.min(1_000, leaseMs));
}

function existingRecord({ status, record }: Reply): LedgerRecord {
  if (record) return record;
  throw unavailableError(new Error(`unexpected status from the function "act": ${status}`));
}
