import { type LedgerRecord, UnreadableRecordError } from '@sendonce/core';

/** What stands under a key, as a script shows it. */
export interface Standing {
  readonly record: LedgerRecord;
  /** How long its lease or its mark "still being sent" lasts; in doubt, since when, negated. */
  readonly remainingMs: number;
}

type Texts = Pick<LedgerRecord, 'fingerprint' | 'by' | 'messageId' | 'note' | 'result'>;

/** The fields of the record of `key` after `at`; see `lua/record.lua` for the form. */
export function encodeFields(key: string, texts: Texts): string {
  const { fingerprint = '', by = '', messageId = '', note = '', result = '' } = texts;
  return [fingerprint, by, messageId, note, result].map((text) => escape(key, text)).join('\n');
}

/** @throws {UnreadableRecordError} */
export function decodeStanding(key: string, value: string, remainingMs: number): Standing {
  const match = /^([CDSRX])([\w-]{16})(\d+)\n([^]*)$/.exec(value);
  const [, letter = '', token = '', at = '', fields = ''] = match ?? [];
  const texts = fields.split('\n').map((text) => unescape(key, text));
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

/**
 * What is made of the key is not kept twice: as `\e` the name of the job that delayedEmails() adds, as `\m` what
 * the Message-ID of @sendonce/mail begins with.
 */
const jobOf = (key: string) => `email-${key}`;
const idStartOf = (key: string) => `<${Buffer.from(key, 'base64url').toString('hex')}@`;

function escape(key: string, text: string): string {
  if (text.length < key.length) return escapeLines(text);
  const parts = text.split(jobOf(key)).map((part) => {
    const around = part.split(idStartOf(key));
    return around.map(escapeLines).join(String.raw`\m`);
  });
  return parts.join(String.raw`\e`);
}

function escapeLines(text: string): string {
  if (!/[\\\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function unescape(key: string, text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => {
    if (letter === 'n') return '\n';
    if (letter === 'e') return jobOf(key);
    return letter === 'm' ? idStartOf(key) : letter;
  });
}
