import { type LedgerRecord, UnreadableRecordError } from '@sendonce/core';

/** What stands under a key, as a script shows it. */
export interface Standing {
  readonly record: LedgerRecord;
  /** How long its lease or its mark "still being sent" lasts; in doubt, since when, negated. */
  readonly remainingMs: number;
}

type Texts = Pick<LedgerRecord, 'fingerprint' | 'by' | 'messageId' | 'note' | 'result'>;

/** The fields of a record after `at`; see `lua/record.lua` for the form. */
export function encodeFields(texts: Texts): string {
  const { fingerprint = '', by = '', messageId = '', note = '', result = '' } = texts;
  return `${escape(fingerprint)}\n${escape(by)}\n${escape(messageId)}\n${escape(note)}\n${escape(result)}`;
}

/** @throws {UnreadableRecordError} */
export function decodeStanding(key: string, value: string, remainingMs: number): Standing {
  const match = /^([CDSRX])([\w-]{16})(\d+)\n([^]*)$/.exec(value);
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
  if (!/[\\\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
