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
  readonly digest?: string | undefined;
  /** The name of the one who sends, cancels or resolves. */
  readonly by?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly messageId?: string | undefined;
  readonly note?: string | undefined;
  readonly result?: string | undefined;
  readonly lateNotSent?: true | undefined;
  /** Of "sent": no dispatch of this attempt was acknowledged. */
  readonly undispatched?: true | undefined;
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
    digest: escape(operation.digest),
    sender: escape(operation.by),
    fingerprint: escape(operation.fingerprint),
    message_id: escape(operation.messageId),
    note: escape(operation.note),
    result: escape(operation.result),
    late_not_sent: operation.lateNotSent,
    undispatched: operation.undispatched,
  };
}

/** @throws {UnreadableRecordError} */
export function decodeReply(key: string, row: Row | undefined): Reply {
  if (!row) throw unavailableError(new Error('the reply leaves out an operation'));
  const status = String(row['status']);
  const { record } = row;
  if (record === null) return { status };
  // pg parses JSON, unless the application has set another parser.
  const fields = (typeof record === 'string' ? JSON.parse(record) : record) as StoredFields;
  return { status, record: decodeRecord(key, fields), agoMs: Number(fields[4]) };
}

/** The fields of a record in the order of the function `reply_record` in SQL. */
type StoredFields = readonly (string | null | undefined)[];

function decodeRecord(key: string, fields: StoredFields): LedgerRecord {
  const [format, state, token, atMs, , queue, id, ...texts] = fields;
  const [by, fingerprint, messageId, note, result, resolvedBy, lateNotSent, digest] = texts;
  if (format !== String(RECORD_FORMAT)) {
    throw unreadableRecord(
      key,
      `it has format ${format}, this version of sendonce reads format ${RECORD_FORMAT}`,
    );
  }
  if (!isState(state) || typeof token !== 'string' || !isTime(atMs)) {
    throw unreadableRecord(key, `it has format ${RECORD_FORMAT}, but is damaged`);
  }
  return {
    key,
    state,
    token,
    atMs: Number(atMs),
    ...(typeof queue === 'string' &&
      typeof id === 'string' && { job: { queue: unescape(queue), id: unescape(id) } }),
    ...(digest && { digest: unescape(digest) }),
    ...(by && { by: unescape(by) }),
    ...(fingerprint && { fingerprint: unescape(fingerprint) }),
    ...(messageId && { messageId: unescape(messageId) }),
    ...(note && { note: unescape(note) }),
    ...(result && { result: unescape(result) }),
    ...(resolvedBy && { resolvedBy: unescape(resolvedBy) }),
    ...(lateNotSent === 'true' && { lateNotSent: true }),
  };
}

function unreadableRecord(key: string, why: string): UnreadableRecordError {
  return new UnreadableRecordError(key, `PostgreSQL; ${why}`);
}

const states = ['claimed', 'dispatched', 'in-doubt', 'sent', 'rejected', 'skipped', 'cancelled'];

function isState(state: unknown): state is RecordState {
  return typeof state === 'string' && states.includes(state);
}

/** As the function `is_readable` in SQL: from 1970 to the year 9999. */
function isTime(atMs: string | null | undefined): boolean {
  const ms = Number(atMs ?? NaN);
  return ms >= 0 && ms < Date.UTC(10_000, 0);
}

function escape(value: string | undefined): string | undefined {
  return value?.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\u0000', '\\0');
}

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_, letter: string) => (letter === '0' ? '\u0000' : letter));
}
