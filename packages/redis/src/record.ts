import { type Attempt, type LedgerRecord, type Loss, UnreadableRecordError } from '@sendonce/core';

/** What stands under a key, as a script shows it. */
export interface Standing {
  readonly record: LedgerRecord;
  /** How long its lease or its mark "still being sent" lasts. */
  readonly remainingMs: number;
}

type Texts = Pick<Partial<LedgerRecord>, 'fingerprint' | 'by' | 'messageId' | 'note' | 'result'>;

/** The fields of a record after `at`; see `lua/record.lua` for the form. */
export function encodeFields(texts: Texts): string {
  const { fingerprint = '', by = '', messageId = '', note = '', result = '' } = texts;
  const fields = [fingerprint, by, messageId, note, result];
  return fields.map((text) => (text === '' ? '' : escape(text))).join('\n');
}

/** @throws {UnreadableRecordError} */
export function decodeStanding(key: string, value: string, remainingMs: number): Standing {
  const match = /^([CDSRX])([\w-]{22})(\d+)\n([^]*)$/.exec(value);
  const [, letter = '', token = '', at = '', fields = ''] = match ?? [];
  const texts = fields.split('\n').map(unescape);
  if (!match || texts.length !== 5) throw new UnreadableRecordError(key, 'Redis');
  const [fingerprint, by, messageId, note, result] = texts;
  return {
    remainingMs,
    record: {
      key,
      state: stateOf(letter, remainingMs),
      token: letter === 'X' ? '' : token,
      atMs: Number(at),
      ...(fingerprint && { fingerprint }),
      ...(by && { by }),
      ...(messageId && { messageId }),
      ...(note && { note }),
      ...(result && { result }),
    },
  };
}

/** Why an attempt lost against what stands there. The order is part of the contract of `claim`. */
export function lossAgainst(standing: Standing, attempt: Pick<Attempt, 'fingerprint'>): Loss {
  const { record, remainingMs } = standing;
  if (record.state === 'cancelled') return { state: 'cancelled', record };
  const { fingerprint } = attempt;
  const comparable = record.fingerprint !== undefined && fingerprint !== undefined;
  if (comparable && record.fingerprint !== fingerprint) return { state: 'conflict', record };
  switch (record.state) {
    case 'in-doubt':
      return { state: 'in-doubt', record };
    case 'sent':
    case 'rejected':
      return { state: 'duplicate', record };
    case 'claimed':
    case 'dispatched':
      return { state: 'busy', record, retryAfterMs: Math.max(0, remainingMs) };
  }
}

function stateOf(letter: string, remainingMs: number): LedgerRecord['state'] {
  switch (letter) {
    case 'C':
      return 'claimed';
    case 'D':
      return remainingMs > 0 ? 'dispatched' : 'in-doubt';
    case 'S':
      return 'sent';
    case 'R':
      return 'rejected';
    default:
      return 'cancelled';
  }
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
