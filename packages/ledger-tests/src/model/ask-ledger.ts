import { isSendonceError, type Ledger, type LedgerRecord } from '@sendonce/core';
import { execute } from '../table/execute.ts';
import type { Answered, Reply } from './explain.ts';
import type { Question } from './reference.ts';

/**
 * Asks a ledger what one command says, and returns the answer for each key. `offsetMs`: how far the
 * ledger's clock is ahead of that of the test.
 */
export async function askLedger(
  ledger: Ledger,
  questions: readonly Question[],
  offsetMs: number,
): Promise<readonly Answered[]> {
  try {
    const replies = await repliesOf(ledger, questions);
    return questions.map((question, index) => {
      const { record, ...reply } = replies[index]!;
      if (!record) return { question, reply };
      const atMs = record.atMs - offsetMs;
      return { question, reply: { ...reply, record: { ...record, atMs } } };
    });
  } catch (error) {
    // "Could not answer" is an answer that the contract allows. The caller asks again.
    if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) return withoutReply(questions);
    return questions.map((question) => ({
      question,
      reply: { status: `threw ${String(error)}` },
    }));
  }
}

/** It is unknown whether they were executed. */
export function withoutReply(questions: readonly Question[]): readonly Answered[] {
  return questions.map((question) => ({ question }));
}

async function repliesOf(ledger: Ledger, questions: readonly Question[]): Promise<Reply[]> {
  const [first] = questions;
  if (first?.verb === 'heartbeat') {
    const attempts = questions.flatMap((one) => (one.verb === 'heartbeat' ? [one] : []));
    const statuses = await ledger.heartbeat(attempts);
    return attempts.map((_, index) => ({ status: statuses[index] ?? 'no answer' }));
  }
  if (first?.verb === 'list') {
    const listed = await recordsOf(ledger, first.state);
    return questions.map(({ key }) => {
      const [record, ...more] = listed.filter((one) => one.key === key);
      if (!record) return { status: 'not listed' };
      const status = more.length > 0 ? 'listed twice' : 'listed';
      return { status, record, place: listed.indexOf(record) };
    });
  }
  return Promise.all(questions.map((question) => replyOf(ledger, question)));
}

async function replyOf(ledger: Ledger, question: Question): Promise<Reply> {
  if (question.verb === 'list') throw new Error('Lists are asked above.');
  if (question.verb === 'read') {
    const record = await ledger.read(question.key);
    return { status: record?.state ?? 'absent', record };
  }
  const { state: status, ...shown } = await execute(ledger, question);
  return { status, ...shown };
}

async function recordsOf(ledger: Ledger, state: 'open' | 'in-doubt'): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state })) records.push(record);
  return records;
}
