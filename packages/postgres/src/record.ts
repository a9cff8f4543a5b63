import { type LedgerRecord, type RecordState, UnreadableRecordError } from '@sendonce/core';
import type { Row } from './pool.ts';

/** One verb about one email, as the function `act` takes it (the type `operation` in SQL). */
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
  readonly token?: string;
  readonly dispatched?: boolean;
  readonly outcome?: string;
  readonly verdict?: string;
  readonly retention_ms?: number;
  readonly by?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly message_id?: string | undefined;
  readonly note?: string | undefined;
  readonly result?: string | undefined;
}

/** The answer about one email: its word, and what stands there if it shows it. */
export interface Answer {
  readonly word: string;
  readonly record?: LedgerRecord;
  /** Since when it stands there. */
  readonly agoMs?: number;
}

/**
 * The operations as JSON. Texts may hold what a text in PostgreSQL cannot: NUL is escaped, and with it
 * the backslash; half a surrogate pair becomes U+FFFD.
 */
export function encodeOperations(operations: readonly Operation[]): string {
  return JSON.stringify(
    operations.map((operation, i) => {
      const { by, fingerprint, message_id, note, result, ...plain } = operation;
      return {
        ...plain,
        i,
        sender: escape(by),
        fingerprint: escape(fingerprint),
        message_id: escape(message_id),
        note: escape(note),
        result: escape(result),
      };
    }),
  );
}

/** @throws {UnreadableRecordError} */
export function decodeAnswer(key: string, row: Row): Answer {
  const word = String(row['word']);
  if (row['state'] === null) return { word };
  const { state, token, at_ms } = row;
  if (!isState(state) || typeof token !== 'string' || !Number.isFinite(Number(at_ms))) {
    throw new UnreadableRecordError(key, 'PostgreSQL');
  }
  const record = {
    key,
    state,
    token,
    atMs: Number(at_ms),
    ...text('by', row['sender']),
    ...text('fingerprint', row['fingerprint']),
    ...text('messageId', row['message_id']),
    ...text('note', row['note']),
    ...text('result', row['result']),
  };
  return { word, record, agoMs: Number(row['ago_ms']) };
}

const states = ['claimed', 'dispatched', 'in-doubt', 'sent', 'rejected', 'cancelled'];

function isState(state: unknown): state is RecordState {
  return typeof state === 'string' && states.includes(state);
}

function text<Name extends string>(name: Name, value: unknown): { [name in Name]?: string } {
  if (typeof value !== 'string' || value === '') return {};
  return { [name]: unescape(value) } as { [name in Name]?: string };
}

function escape(value: string | undefined): string | undefined {
  return value?.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\u0000', '\\0');
}

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_, letter: string) => (letter === '0' ? '\u0000' : letter));
}
