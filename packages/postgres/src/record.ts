import { UnreadableRecordError } from '@sendonce/core';
import type { JobRef, LedgerRecord, RecordState } from '@sendonce/core/ledger';
import { unavailableError } from './errors.ts';
import type { Row } from './pool.ts';

/** The format in which this version stores records, and the only one that it reads. */
export const RECORD_FORMAT = 1;

/** One verb about one email, for the function `act` (the type `operation` in SQL). */
export interface Operation {
  readonly verb:
    | 'claim'
    | 'dispatch'
    | 'settle'
    | 'release'
    | 'heartbeat'
    | 'read'
    | 'resolve'
    | 'cancel';
  readonly key: string;
  readonly token?: string | undefined;
  readonly dispatched?: boolean | undefined;
  /** What `settle` records, or the verdict of `resolve`. */
  readonly outcome?: string | undefined;
  readonly retentionMs?: number | undefined;
  readonly job?: JobRef | undefined;
  /** Who sends, cancels or resolves. */
  readonly by?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly messageId?: string | undefined;
  readonly note?: string | undefined;
  readonly result?: string | undefined;
  readonly lateNotSent?: true | undefined;
}

/** The reply to one operation: its status, and the record under the key if it shows it. */
export interface Reply {
  readonly status: string;
  readonly record?: LedgerRecord;
  /** How long ago the record got into its state, in milliseconds. */
  readonly agoMs?: number;
}

/**
 * The operations as JSON. Texts may hold what a text in PostgreSQL cannot: NUL is escaped, and with
 * it the backslash; half a surrogate pair becomes U+FFFD.
 */
export function encodeOperations(operations: readonly Operation[]): string {
  return JSON.stringify(operations.map(encodeOperation));
}

function encodeOperation(operation: Operation, i: number): Record<string, unknown> {
  const { job } = operation;
  return {
    i,
    verb: operation.verb,
    key: operation.key,
    token: operation.token,
    dispatched: operation.dispatched,
    outcome: operation.outcome,
    retention_ms: operation.retentionMs,
    job_queue: escape(job?.queue),
    job_id: escape(job?.id),
    sender: escape(operation.by),
    fingerprint: escape(operation.fingerprint),
    message_id: escape(operation.messageId),
    note: escape(operation.note),
    result: escape(operation.result),
    late_not_sent: operation.lateNotSent,
  };
}

/** @throws {UnreadableRecordError} */
export function decodeReply(key: string, row: Row | undefined): Reply {
  if (!row) throw unavailableError(new Error('the reply leaves out an operation'));
  const status = String(row['status']);
  const { record } = row;
  if (typeof record !== 'string') return { status };
  const stored = JSON.parse(record) as Row;
  return { status, record: decodeRecord(key, stored), agoMs: Number(stored['ago_ms']) };
}

function decodeRecord(key: string, stored: Row): LedgerRecord {
  const { format, state, token, at_ms } = stored;
  if (format !== RECORD_FORMAT) {
    const formats = `it has format ${String(format)}, this version of sendonce reads format ${RECORD_FORMAT}`;
    throw new UnreadableRecordError(key, `PostgreSQL; ${formats}`);
  }
  if (!isState(state) || typeof token !== 'string' || typeof at_ms !== 'number') {
    throw new UnreadableRecordError(
      key,
      `PostgreSQL; it has format ${RECORD_FORMAT}, but is damaged`,
    );
  }
  return {
    key,
    state,
    token,
    atMs: at_ms,
    ...decodeJob(stored['job_queue'], stored['job_id']),
    ...decodeText('by', stored['sender']),
    ...decodeText('fingerprint', stored['fingerprint']),
    ...decodeText('messageId', stored['message_id']),
    ...decodeText('note', stored['note']),
    ...decodeText('result', stored['result']),
    ...decodeText('resolvedBy', stored['resolved_by']),
    ...(stored['late_not_sent'] === true && { lateNotSent: true }),
  };
}

const states = ['claimed', 'dispatched', 'in-doubt', 'sent', 'rejected', 'cancelled'];

function isState(state: unknown): state is RecordState {
  return typeof state === 'string' && states.includes(state);
}

function decodeJob(queue: unknown, id: unknown): { job?: JobRef } {
  if (typeof queue !== 'string' || typeof id !== 'string') return {};
  return { job: { queue: unescape(queue), id: unescape(id) } };
}

function decodeText<Name extends string>(name: Name, value: unknown): { [name in Name]?: string } {
  if (typeof value !== 'string' || value === '') return {};
  return { [name]: unescape(value) } as { [name in Name]?: string };
}

function escape(value: string | undefined): string | undefined {
  return value?.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\u0000', '\\0');
}

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_, letter: string) => (letter === '0' ? '\u0000' : letter));
}
