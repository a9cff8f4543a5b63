import type { AttemptContext } from '../attempt-context.ts';
import { isSendonceError, type MayHaveLeft, NotRecordedError } from '../errors.ts';
import type { Settlement, SettleVia } from '../ledger.ts';
import type { LedgerRecord, SettleReply } from '../record.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';

/**
 * Writes an outcome into the ledger, and repeats it for a lease.
 * @throws {NotRecordedError}
 */
export async function settle(
  context: AttemptContext,
  settlement: Settlement,
  mayHaveLeft: MayHaveLeft,
): Promise<SettleReply> {
  const { ledger, attempt } = context;
  try {
    return await retryWhileUnavailable(() => ledger.settle(settlement), attempt.leaseMs);
  } catch (error) {
    // A skip before the dispatch is no outcome of an email that may have left.
    const wasDispatched = settlement.outcome !== 'skipped' || context.mode === 'before-processor';
    if (wasDispatched) context.emit('unrecorded');
    if (mayHaveLeft !== 'no') void repeatSettle(context, settlement, error).catch(() => {});
    throw new NotRecordedError(attempt.key, mayHaveLeft, error);
  }
}

/**
 * Only this process knows what happened to the email. It repeats the outcome until the ledger
 * answers.
 * @throws the error of the first settle, if repeating the verb cannot help.
 */
async function repeatSettle(
  { ledger, attempt }: AttemptContext,
  settlement: Settlement,
  error: unknown,
): Promise<SettleReply> {
  if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
  const settleAgain = () => ledger.settle(settlement);
  return retryWhileUnavailable(settleAgain, attempt.retentionMs, false);
}

/**
 * Records "sent" on the connection that acknowledges the job, without waiting for the reply.
 * @returns resolves when the command is written. If that fails, the settle is repeated all the
 * same.
 */
export function settleViaQueue(
  context: AttemptContext,
  settlement: Settlement,
  settleVia: SettleVia,
): Promise<void> | undefined {
  try {
    const { reply, flushed } = settleVia(settlement);
    void ensureSettled(context, settlement, reply);
    return flushed;
  } catch (error) {
    // The ledger's own connection takes it, as if this one had not answered.
    void ensureSettled(context, settlement, Promise.reject(error));
    return undefined;
  }
}

/**
 * Repeats a settle whose reply is not awaited until the ledger has it. If it fails, the email is a
 * listed doubt.
 */
async function ensureSettled(
  context: AttemptContext,
  settlement: Settlement,
  reply: Promise<SettleReply>,
): Promise<void> {
  const { leaseMs } = context.attempt;
  const settleAgain = () => context.ledger.settle(settlement);
  try {
    const { state } = await reply
      .catch(() => retryWhileUnavailable(settleAgain, leaseMs))
      .catch((error: unknown) => {
        context.emit('unrecorded');
        return repeatSettle(context, settlement, error);
      });
    if (state === 'lost') context.emit('unrecorded');
  } catch {
    // The email stays listed.
  }
}

/** The record as the ledger has it (its clock), for the rare paths in which people read it. */
export async function readRecorded(
  { ledger, attempt }: AttemptContext,
  settlement: Settlement,
): Promise<LedgerRecord> {
  const record = await ledger.read(attempt.key).catch(() => undefined);
  if (record) return record;
  const { outcome, leaseMs: _lease, retentionMs: _retention, ...texts } = settlement;
  return { ...texts, state: outcome, atMs: Date.now() };
}
