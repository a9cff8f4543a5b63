import type { MayHaveLeft, Verdict } from '@sendonce/core';

/**
 * The outcome of one request to a provider.
 *
 * - `sent`: this request sent the email.
 * - `sent-already`: an earlier request with this key sent it.
 * - `in-progress`: an earlier request with this key is being processed.
 * - `conflict`: the key belongs to an email with other content.
 * - `rejected`: refused permanently.
 * - `refused`: refused temporarily.
 * - `not-sent`: the request was not made.
 * - `unknown`: the email may have been sent.
 */
export type OutcomeState =
  | 'sent'
  | 'sent-already'
  | 'in-progress'
  | 'conflict'
  | 'rejected'
  | 'refused'
  | 'not-sent'
  | 'unknown';

/** The outcome of one request, with its details. */
export interface Outcome {
  /** What the answer means. */
  readonly state: OutcomeState;
  /** The status of the HTTP answer, if there is one. */
  readonly status?: number | undefined;
  /** The error code of the provider or of the network, if it is a short identifier. */
  readonly code?: string | undefined;
  /** The provider's id of the email. */
  readonly messageId?: string | undefined;
  /** How long the provider asks to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Of an email that was sent: which of its recipients do not get it, `cc inactive`. */
  readonly refused?: string | undefined;
}

/** @internal The verdict of an outcome, for the claim. */
export function toVerdict(state: OutcomeState): Verdict {
  switch (state) {
    case 'sent':
    case 'sent-already':
      return 'sent';
    case 'rejected':
    case 'refused':
    case 'not-sent':
      return state;
    case 'in-progress':
    case 'conflict':
    case 'unknown':
      return 'unknown';
  }
}

/** @internal Whether the email may have been sent. */
export function toMayHaveLeft(state: OutcomeState): MayHaveLeft {
  const verdict = toVerdict(state);
  if (verdict === 'sent') return 'yes';
  return verdict === 'unknown' ? 'maybe' : 'no';
}

/**
 * @internal A short note for the record: `sent-already`, `in-progress`, `422 validation_error`,
 * `ECONNRESET`.
 */
export function toNote({ state, status, code }: Outcome): string {
  if (state === 'sent-already' || state === 'in-progress' || state === 'conflict') return state;
  return [status, code].filter((part) => part !== undefined).join(' ') || state;
}

/**
 * @internal The text if it is a short identifier, such as `duplicate_parameter`. A sentence, an
 * address or a key is not one.
 */
export function identifier(text: unknown): string | undefined {
  if (typeof text === 'number' && Number.isSafeInteger(text)) return String(text);
  return typeof text === 'string' && /^[A-Za-z\d][\w.-]{0,39}$/.test(text) ? text : undefined;
}
