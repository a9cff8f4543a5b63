import { type LedgerRecord, type RecordState, UnreadableRecordError } from '@sendonce/core';
import type { Places } from './places.ts';

/** A record as a script shows it. */
export interface StoredRecord {
  readonly record: LedgerRecord;
  /**
   * How long its lease or its mark "still being sent" lasts, in ms. Of a record in doubt: how long
   * ago it was dispatched, negated.
   */
  readonly remainingMs: number;
}

/** The format that this code reads and writes: the first character of every record. */
const FORMAT = '1';

/**
 * The second character of a record. A doubt is a dispatch whose mark "still being sent" is over.
 */
export const STATE_LETTERS: Readonly<Record<RecordState, string>> = {
  claimed: 'C',
  dispatched: 'D',
  'in-doubt': 'D',
  sent: 'S',
  rejected: 'R',
  skipped: 'K',
  cancelled: 'X',
};

/** The texts of a record. */
export type RecordFields = Pick<
  LedgerRecord,
  | 'job'
  | 'digest'
  | 'messageId'
  | 'fingerprint'
  | 'result'
  | 'note'
  | 'by'
  | 'lateNotSent'
  | 'resolvedBy'
>;

/** A record as `lua/record.lua` describes it. */
export function encodeRecord({ state, token, atMs, ...fields }: LedgerRecord): string {
  const at = String(atMs).padStart(13, '0');
  return FORMAT + STATE_LETTERS[state] + token + at + encodeFields(fields);
}

/** What follows the time in a record: most emails have only the first fields. */
export function encodeFields(fields: RecordFields): string {
  const { job, digest, messageId, fingerprint, result, note, by, lateNotSent, resolvedBy } = fields;
  const late = lateNotSent && '1';
  const about = [job?.queue, job?.id, digest, messageId, fingerprint];
  const texts = [...about, result, note, by, late, resolvedBy];
  let end = texts.length;
  while (end > 0 && !texts[end - 1]) end -= 1;
  let encoded = '';
  for (let index = 0; index < end; index++) encoded += `\n${escapeText(texts[index] ?? '')}`;
  return encoded;
}

/** @throws {UnreadableRecordError} */
export function decodeRecord(
  key: string,
  value: string,
  { remainingMs, places }: { readonly remainingMs: number; readonly places?: Places | undefined },
): StoredRecord {
  const match = /^1([CDSRKX])([\w-]{16})(\d{13})(\n[^]*)?$/.exec(value);
  if (!match) throw unreadableRecord(key, nameOfPlace(key, places), value.slice(0, 1));
  const [, letter = '', token = '', at, texts = ''] = match;
  const fields = texts.split('\n').slice(1).map(unescapeText);
  const [queue = '', id = '', digest, messageId, fingerprint, ...others] = fields;
  const [result, note, by, late, resolvedBy] = others;
  return {
    remainingMs,
    record: {
      key,
      state: stateOf(letter, remainingMs),
      token: letter === 'X' ? '' : token,
      atMs: Number(at),
      ...((queue || id) && { job: { queue, id } }),
      ...(digest && { digest }),
      ...(messageId && { messageId }),
      ...(fingerprint && { fingerprint }),
      ...(result && { result }),
      ...(note && { note }),
      ...(by && { by }),
      ...(late && { lateNotSent: true }),
      ...(resolvedBy && { resolvedBy }),
    },
  };
}

/** For an error: the key in Redis, which is a hash, so that an operator can look at it. */
export function nameOfPlace(key: string, places: Places | undefined): string {
  return places === undefined ? 'Redis' : `Redis, ${places.record(key)}`;
}

/**
 * The error about a record that a script of this version left as it was.
 *
 * @param first the first character of what is stored, empty where that is no text.
 */
export function unreadableRecord(key: string, where: string, first: string): UnreadableRecordError {
  return new UnreadableRecordError(key, `${where}; ${formatOf(first)}`);
}

function formatOf(first: string): string {
  const reads = `this version of sendonce reads format ${FORMAT}`;
  if (first === FORMAT) return `it has format ${FORMAT}, but is damaged`;
  if (/^[0-9a-z]$/.test(first)) return `it has format ${first}, ${reads}`;
  // Records began with their state before they had a version.
  if (/^[CDSRX]$/.test(first)) return `it has no format version, ${reads}`;
  return `it is no record of sendonce, ${reads}`;
}

function stateOf(letter: string, remainingMs: number): RecordState {
  switch (letter) {
    case 'C':
      return 'claimed';
    case 'D':
      return remainingMs > 0 ? 'dispatched' : 'in-doubt';
    case 'S':
      return 'sent';
    case 'R':
      return 'rejected';
    case 'K':
      return 'skipped';
    default:
      return 'cancelled';
  }
}

/** A text without line breaks, which part the fields. */
export function escapeText(text: string): string {
  if (!/[\\\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
