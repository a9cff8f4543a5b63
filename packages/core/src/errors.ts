import { errorCode } from './error-code.ts';
import { senderOf } from './sender.ts';
import type { LedgerRecord } from './record.ts';

/** Where the page of each code is. */
const ERROR_PAGES = 'https://github.com/sendonce/sendonce/blob/main/docs/errors';

/**
 * The error class of each code.
 * See {@link isSendonceError}.
 */
export interface ErrorsByCode {
  /** An option is missing or wrong. */
  SENDONCE_OPTION: OptionError;
  /** A key or fingerprint is not made of plain JSON. */
  SENDONCE_KEY: KeyError;
  /** The ledger did not answer. */
  SENDONCE_LEDGER_UNAVAILABLE: LedgerUnavailableError;
  /** A record cannot be read. */
  SENDONCE_UNREADABLE_RECORD: UnreadableRecordError;
  /** The processor says that nothing was sent. */
  SENDONCE_NOT_SENT: NotSentError;
  /** The claim was lost before the email left. */
  SENDONCE_CLAIM_LOST: ClaimLostError;
  /** Another attempt is sending the email. */
  SENDONCE_BUSY: BusyError;
  /** A second email was about to leave under one claim. */
  SENDONCE_SECOND_EMAIL: SecondEmailError;
  /** An email has no recipient in To, or several where one is expected. */
  SENDONCE_RECIPIENTS: RecipientsError;
  /** An address is not valid, or can be read as another one. */
  SENDONCE_ADDRESS: AddressError;
  /** It is unknown whether the email was sent. */
  SENDONCE_IN_DOUBT: InDoubtError;
  /** The email was refused permanently. */
  SENDONCE_REJECTED: RejectedError;
  /** The key belongs to an email with another payload. */
  SENDONCE_CONFLICT: KeyConflictError;
  /** The result of the processor cannot be stored. */
  SENDONCE_RESULT: ResultError;
  /** A skip cannot be recorded. */
  SENDONCE_SKIP: SkipError;
  /** The processor ended without a dispatch. */
  SENDONCE_UNDISPATCHED: UndispatchedError;
  /** The outcome could not be recorded. */
  SENDONCE_NOT_RECORDED: NotRecordedError;
  /** The processor cannot be used as it is. */
  SENDONCE_PROCESSOR: ProcessorError;
  /** The email was scheduled under another key. */
  SENDONCE_KEY_CHANGED: KeyChangedError;
  /** An email could not be scheduled or moved. */
  SENDONCE_SCHEDULE: ScheduleError;
  /** `ProviderError` of `@sendonce/providers`, `MailTransportError` of `@sendonce/mail`. */
  SENDONCE_PROVIDER: SendonceError;
  /** `QuorumError` of `@sendonce/redlock`, the cause of a LedgerUnavailableError. */
  SENDONCE_QUORUM: SendonceError;
  /** The command line of `sendonce` is wrong. */
  SENDONCE_USAGE: SendonceError;
}

/**
 * All codes that a sendonce error can carry.
 * See {@link ErrorsByCode}.
 */
export type ErrorCode = keyof ErrorsByCode;

/**
 * Whether the email may have been sent: `no`, `yes`, or `maybe` (unknown: the record is in
 * doubt).
 * See {@link SendonceError.mayHaveLeft}.
 */
export type MayHaveLeft = 'no' | 'yes' | 'maybe';

/**
 * The address of the page about an error or a warning: what happened, whether the email was sent
 * and what to do.
 *
 * @example
 * errorPage('SENDONCE_IN_DOUBT'); // https://github.com/…/docs/errors/in-doubt.md
 */
export function errorPage(code: string): string {
  const name = code
    .replace(/^SENDONCE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
  return `${ERROR_PAGES}/${name}.md`;
}

/**
 * Ends a message with the address of its page. Addresses that are in the message already are
 * removed. See {@link errorPage}.
 */
export function withErrorPage(message: string, code: string): string {
  const text = withoutErrorPage(message).trimEnd();
  if (text === '') return `See ${errorPage(code)}`;
  return `${text}${/[.!?]$/.test(text) ? '' : '.'} See ${errorPage(code)}`;
}

/**
 * A message without the address of its page, to be made part of another text.
 * See {@link errorPage}.
 */
export function withoutErrorPage(message: string): string {
  return message.includes(ERROR_PAGES) ? message.replace(pageAddresses, '') : message;
}

const pageAddresses = new RegExp(
  ` ?\\bSee ${ERROR_PAGES.replaceAll('.', '\\.')}/[a-z-]+\\.md`,
  'g',
);

/**
 * The base of every error that sendonce throws. Its message ends with the address of the page about
 * its code. Recognise an error by its `code`, not by `instanceof`: two copies of the package may be
 * loaded.
 */
export class SendonceError extends Error {
  override readonly name: string = 'SendonceError';
  /** What happened: `SENDONCE_BUSY`, … Compare this, not the class. */
  readonly code: ErrorCode;
  /** Whether the email may have been sent. */
  readonly mayHaveLeft: MayHaveLeft;

  constructor(code: ErrorCode, mayHaveLeft: MayHaveLeft, message: string, cause?: unknown) {
    // Programs without types pass anything, and making the error must not fail.
    const text = typeof message === 'string' ? message : '';
    super(withErrorPage(text, code), cause === undefined ? undefined : { cause });
    this.code = code;
    this.mayHaveLeft = mayHaveLeft;
  }
}

/**
 * Whether `error` is a sendonce error; with a code, one of that code, whose class TypeScript then
 * knows.
 *
 * @example
 * if (isSendonceError(error, 'SENDONCE_IN_DOUBT')) console.log(error.record.key);
 */
export function isSendonceError(error: unknown): error is SendonceError;
export function isSendonceError<Code extends ErrorCode>(
  error: unknown,
  code: Code,
): error is ErrorsByCode[Code];
export function isSendonceError(error: unknown, code?: ErrorCode): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const actual = codeOf(error);
  if (code !== undefined) return actual === code;
  return typeof actual === 'string' && actual.startsWith('SENDONCE_');
}

/** What a processor throws may be a proxy, or have a getter that throws. */
function codeOf(error: object): unknown {
  try {
    return (error as { readonly code?: unknown }).code;
  } catch {
    return undefined;
  }
}

/** An option is missing or wrong. Thrown where the option is given, before anything runs. */
export class OptionError extends SendonceError {
  override readonly name = 'OptionError';
  /** The name of the option. */
  readonly option: string;

  constructor(option: string, message: string) {
    super('SENDONCE_OPTION', 'no', message);
    this.option = option;
  }
}

/** A key or payload cannot be turned into canonical JSON. Names the path, never the value. */
export class KeyError extends SendonceError {
  override readonly name = 'KeyError';

  constructor(message: string) {
    super('SENDONCE_KEY', 'no', message);
  }
}

/**
 * The ledger could not answer: connection down, timeout, server error. The verb may be repeated.
 */
export class LedgerUnavailableError extends SendonceError {
  override readonly name = 'LedgerUnavailableError';
  /** The client was closed by its owner: no repetition in this process is answered. */
  readonly isClosed: boolean;

  constructor(
    message: string,
    cause?: unknown,
    {
      mayHaveLeft = 'no',
      isClosed = false,
    }: { readonly mayHaveLeft?: MayHaveLeft; readonly isClosed?: boolean } = {},
  ) {
    super('SENDONCE_LEDGER_UNAVAILABLE', mayHaveLeft, message, cause);
    this.isClosed = isClosed;
  }
}

/** A record does not have the form that this version writes. It was left as it is. */
export class UnreadableRecordError extends SendonceError {
  override readonly name = 'UnreadableRecordError';
  /** Which email. */
  readonly key: string;

  constructor(key: string, where: string) {
    super(
      'SENDONCE_UNREADABLE_RECORD',
      'maybe',
      `The record of ${key} (${where}) cannot be read: another program or another version of sendonce wrote ` +
        'it. This attempt sent nothing, an earlier one may have. The record was left as it is. Run the ' +
        'newest version of sendonce that uses this store; remove the record only if you know that the email was not sent.',
    );
    this.key = key;
  }
}

/**
 * Throw this from a processor to say "nothing was sent", in every dispatch mode. The claim
 * is released, and the queue's own retry may send.
 *
 * @example
 * if (!(await templateExists())) throw new NotSentError('The template is missing.');
 */
export class NotSentError extends SendonceError {
  override readonly name = 'NotSentError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SENDONCE_NOT_SENT', 'no', message, options.cause);
  }
}

/** The claim was lost before its dispatch, or its processor had ended: do not send the email. */
export class ClaimLostError extends SendonceError {
  override readonly name = 'ClaimLostError';

  constructor(message: string) {
    super('SENDONCE_CLAIM_LOST', 'no', message);
  }
}

/** Another attempt holds the claim. This one sent nothing and may try again. */
export class BusyError extends SendonceError {
  override readonly name = 'BusyError';
  /** Within how many milliseconds the other attempt has ended, or is in doubt. */
  readonly retryAfterMs: number;

  constructor(key: string, retryAfterMs: number) {
    super(
      'SENDONCE_BUSY',
      'no',
      `The email ${key} is being sent by another attempt. This one sent nothing; try again in ` +
        `${retryAfterMs} ms at the latest.`,
    );
    this.retryAfterMs = retryAfterMs;
  }
}

/** One claim covers one email, and a second one was about to leave under it. It was not sent. */
export class SecondEmailError extends SendonceError {
  override readonly name = 'SecondEmailError';

  constructor(key: string) {
    super(
      'SENDONCE_SECOND_EMAIL',
      'maybe',
      `A second email was about to leave under the claim ${key}. It was not sent; the first one may ` +
        'have been. One key covers one email: give the second one its own job, or wrap it in ' +
        'perform() with its own key.',
    );
  }
}

/**
 * No recipient of an email under a claim is in To, or there is not exactly one, and the option
 * `recipients` is `one`.
 */
export class RecipientsError extends SendonceError {
  override readonly name = 'RecipientsError';
  /** How many recipients the email has. */
  readonly count: number;

  constructor(count: number, expected: 'one' | 'to' = 'one') {
    super(
      'SENDONCE_RECIPIENTS',
      'no',
      expected === 'one'
        ? `The email has ${count} recipients (to, cc, bcc); expected exactly one, because "recipients" is "one". It ` +
            'was not sent. Use one job, or one perform() with its own key, per recipient.'
        : `The email has ${count} recipient${count === 1 ? '' : 's'} (to, cc, bcc), none of them in "to". It was not sent. Cc and Bcc get ` +
            'copies of an email to another recipient: give the email a "to", or use one email per recipient.',
    );
    this.count = count;
  }
}

/** An address of the email is not valid, or could be read as another one. It is never shown. */
export class AddressError extends SendonceError {
  override readonly name = 'AddressError';
  /** The field that has the address: `to`, `from`, … */
  readonly field: string;

  constructor(field: string, what: string) {
    super(
      'SENDONCE_ADDRESS',
      'no',
      `The address in "${field}" ${what}. The email was not sent: it could reach another person. Correct the ` +
        'address where it was entered, and schedule the email again.',
    );
    this.field = field;
  }
}

/**
 * A skip that cannot be recorded: its reason is invalid, the email may have been sent, or it is the
 * second skip.
 */
export class SkipError extends SendonceError {
  override readonly name = 'SkipError';

  constructor(mayHaveLeft: MayHaveLeft, message: string) {
    const sent = {
      no: 'This attempt sent nothing.',
      maybe: 'The email may have been sent.',
      yes: 'The email was sent.',
    };
    super('SENDONCE_SKIP', mayHaveLeft, `${message} ${sent[mayHaveLeft]}`);
  }
}

/**
 * In `at-send` the effect ended, and no email was dispatched under its claim. The cause of an
 * `InDoubtError`: sendonce cannot distinguish an email that
 * left unseen from no email.
 */
export class UndispatchedError extends SendonceError {
  override readonly name = 'UndispatchedError';

  constructor(cause?: unknown) {
    const ended = cause === undefined ? 'returned' : `threw (${errorCode(cause)})`;
    super(
      'SENDONCE_UNDISPATCHED',
      'maybe',
      `The processor ${ended}, and no email was dispatched under its claim. ` +
        'If it sent one, the claim did not ' +
        'see it: pass "dispatch: atSend(transporter)" with the transporter that it uses, or call ' +
        'claim.dispatch() before its own send. If it decided not to send, let it return skipEmail(reason) or claim.skip(reason). If a ' +
        'return without dispatch always means the same, say so by "undispatched".',
      cause,
    );
  }
}

/** It is unknown whether the email was sent. It is listed in the ledger until it is resolved. */
export class InDoubtError extends SendonceError {
  override readonly name = 'InDoubtError';
  /** The record in doubt. Its token is needed to resolve it: {@link resolveEmail}. */
  readonly record: LedgerRecord;

  constructor(record: LedgerRecord, cause?: unknown) {
    super(
      'SENDONCE_IN_DOUBT',
      'maybe',
      `The email ${record.key} is in doubt: it was dispatched${byWhom(record)} and no outcome was ` +
        `recorded${record.note ? ` (${record.note})` : ''}. It may have been sent and is not sent again. ` +
        'Find out (ask the provider, the mail log or ' +
        `the customer), then run "npx sendonce resolve ${record.key} --sent" or "--not-sent", or call ` +
        `resolveEmail(), and retry the job.${hintOf(cause)}`,
      cause,
    );
    this.record = record;
  }
}

/** What to change in the processor, so that its next email is no doubt. */
function hintOf(cause: unknown): string {
  const isOurs =
    isSendonceError(cause, 'SENDONCE_UNDISPATCHED') || isSendonceError(cause, 'SENDONCE_SKIP');
  return isOurs ? ` ${cause.message}` : '';
}

/** The mail server or provider refused the email permanently. */
export class RejectedError extends SendonceError {
  override readonly name = 'RejectedError';
  /** The record of the rejection. */
  readonly record: LedgerRecord;

  constructor(record: LedgerRecord, cause?: unknown) {
    super(
      'SENDONCE_REJECTED',
      'no',
      `The email ${record.key} was rejected permanently${byWhom(record)}` +
        `${record.note ? ` (${record.note})` : ''}. It was not sent and is not tried again under this ` +
        'key until the retention is over. Correct the cause, then run "npx sendonce resolve ' +
        `${record.key} --not-sent" and retry the job, or send the email under another key.`,
      cause,
    );
    this.record = record;
  }
}

/** The same key was used for another payload. */
export class KeyConflictError extends SendonceError {
  override readonly name = 'KeyConflictError';
  /** The names of the fields of the fingerprint that differ. */
  readonly fields: readonly string[];
  /** The record of the other email. */
  readonly record: LedgerRecord;

  constructor(fields: readonly string[], record: LedgerRecord) {
    super(
      'SENDONCE_CONFLICT',
      'no',
      `The key ${record.key} already belongs to an email with another payload, claimed${byWhom(record)}; ` +
        `differing: ${fields.join(', ') || 'unknown'}. This attempt sent nothing. Put what tells the two ` +
        'emails apart into "key", or leave what may change out of "fingerprint".',
    );
    this.fields = fields;
    this.record = record;
  }
}

/**
 * The processor cannot be performed as it is: it returned an Observable, or it is wrapped twice.
 */
export class ProcessorError extends SendonceError {
  override readonly name = 'ProcessorError';

  constructor(mayHaveLeft: MayHaveLeft, message: string) {
    super('SENDONCE_PROCESSOR', mayHaveLeft, message);
  }
}

/** A scheduled email is processed under another key than the one it was scheduled under. */
export class KeyChangedError extends SendonceError {
  override readonly name = 'KeyChangedError';
  /** The parts of the key that differ: `1`, `to`. */
  readonly fields: readonly string[];

  constructor(key: string, fields: readonly string[]) {
    super(
      'SENDONCE_KEY_CHANGED',
      'no',
      `The email was scheduled under the key ${key}, and "key" of the processor selects another one; ` +
        `differing parts: ${fields.join(', ') || 'unknown'}. This attempt sent nothing. Select the same ` +
        'parts in both places, and none that changes in between (job.updateData, a date of now); then ' +
        'retry the job.',
    );
    this.fields = fields;
  }
}

/** An email could not be scheduled or moved, or it is not known whether it was. */
export class ScheduleError extends SendonceError {
  override readonly name = 'ScheduleError';
  /**
   * Of a method for a list of emails: its answers so far, in the order of the list. `undefined`
   * where the state of an email is unknown, or where nothing was done yet.
   */
  readonly answers: readonly unknown[] | undefined;

  constructor(
    message: string,
    mayHaveLeft: MayHaveLeft = 'no',
    { cause, answers }: { readonly cause?: unknown; readonly answers?: readonly unknown[] } = {},
  ) {
    super('SENDONCE_SCHEDULE', mayHaveLeft, message, cause);
    this.answers = answers;
  }
}

/** The email was sent and recorded, but the result cannot be stored for duplicates. */
export class ResultError extends SendonceError {
  override readonly name = 'ResultError';

  constructor(message: string, cause?: unknown) {
    super('SENDONCE_RESULT', 'yes', message, cause);
  }
}

const inTime =
  'It is recorded as soon as the ledger answers this process. If the process ends before, an email that was ' +
  'dispatched is listed as in doubt, and is not sent again before it is resolved.';
const afterwards: Readonly<Record<MayHaveLeft, string>> = {
  no: 'Another attempt may send it.',
  maybe: inTime,
  yes: inTime,
};

/** The processor ended, and the ledger could not record the outcome. */
export class NotRecordedError extends SendonceError {
  override readonly name = 'NotRecordedError';

  constructor(
    key: string,
    mayHaveLeft: MayHaveLeft,
    cause: unknown,
    { cancelled = false }: { readonly cancelled?: boolean } = {},
  ) {
    super(
      'SENDONCE_NOT_RECORDED',
      mayHaveLeft,
      `The outcome of the email ${key} could not be recorded: the ledger did not take it. ` +
        `${mayHaveLeft === 'yes' ? 'It was sent.' : mayHaveLeft === 'no' ? 'It was not sent.' : 'It may have been sent.'} ` +
        (cancelled
          ? 'In the meantime it was cancelled: it is not sent again.'
          : afterwards[mayHaveLeft]),
      cause,
    );
  }
}

function byWhom(record: LedgerRecord): string {
  const sender = senderOf(record);
  return `${sender && ` by ${sender}`} at ${new Date(record.atMs).toISOString()}`;
}
