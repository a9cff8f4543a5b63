import { isSendonceError, type Ledger, type LedgerRecord } from '@sendonce/core';
import { RESOLVER } from './commands.ts';
import type { Answered, Reply } from './explain.ts';
import type { Operation } from './reference.ts';

/**
 * Asks a ledger what one command says, and tells the answer for each key. `offsetMs`: how far the
 * ledger's clock is ahead of that of the test.
 */
export async function ask(
  ledger: Ledger,
  operations: readonly Operation[],
  offsetMs: number,
): Promise<readonly Answered[]> {
  try {
    const replies = await repliesOf(ledger, operations);
    return operations.map((operation, index) => {
      const { record, ...reply } = replies[index]!;
      return { operation, reply: record ? { ...reply, record: seen(record, offsetMs) } : reply };
    });
  } catch (error) {
    // "Could not answer" is an answer that the contract allows, and whoever gets it asks again.
    if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) return withoutReply(operations);
    return operations.map((operation) => ({
      operation,
      reply: { word: `threw ${String(error)}` },
    }));
  }
}

/** Nobody knows whether they were executed. */
export function withoutReply(operations: readonly Operation[]): readonly Answered[] {
  return operations.map((operation) => ({ operation }));
}

function seen(record: LedgerRecord, offsetMs: number): LedgerRecord {
  const resolved = record.note?.includes(RESOLVER);
  return { ...record, atMs: record.atMs - offsetMs, ...(resolved && { note: RESOLVER }) };
}

async function repliesOf(ledger: Ledger, operations: readonly Operation[]): Promise<Reply[]> {
  const [first] = operations;
  if (first?.verb === 'heartbeat') {
    const attempts = operations.flatMap((one) => (one.verb === 'heartbeat' ? [one] : []));
    const words = await ledger.heartbeat(attempts);
    return attempts.map((_, index) => ({ word: words[index] ?? 'no answer' }));
  }
  if (first?.verb === 'list') {
    const listed = await recordsOf(ledger, first.state);
    return operations.map(({ key }) => {
      const [record, ...more] = listed.filter((one) => one.key === key);
      if (!record) return { word: 'not listed' };
      const word = more.length > 0 ? 'listed twice' : 'listed';
      return { word, record, place: listed.indexOf(record) };
    });
  }
  return Promise.all(operations.map((operation) => replyOf(ledger, operation)));
}

async function replyOf(ledger: Ledger, operation: Operation): Promise<Reply> {
  if (operation.verb === 'heartbeat' || operation.verb === 'list') throw new Error('asked above');
  if (operation.verb === 'read') {
    const record = await ledger.read(operation.key);
    return { word: record?.state ?? 'absent', record };
  }
  const { verb, ...request } = operation;
  const reply = await (ledger[verb] as (request: unknown) => Promise<{ state: string }>)(request);
  const { state: word, ...shown } = reply;
  return { word, ...shown };
}

async function recordsOf(ledger: Ledger, state: 'open' | 'in-doubt'): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state })) records.push(record);
  return records;
}
