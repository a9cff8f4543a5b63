import type { MayHaveLeft, Verdict } from '@sendonce/core';

/**
 * What one request to a provider ended with: `sent`; `sent-already` (an earlier request with this
 * key sent it); `in-progress` (an earlier one is on its way); `conflict` (the key belongs to an
 * email with other content); `rejected` (for good); `refused` (for now); `not-sent` (the request
 * surely never left); `unknown` (it may have been sent).
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

/** What is known of one request. */
export interface Outcome {
  readonly state: OutcomeState;
  /** Of the HTTP answer, if one came. */
  readonly status?: number | undefined;
  /** The provider's error name or the network's error code, if it is a short identifier. */
  readonly code?: string | undefined;
  /** The provider's id of the email. */
  readonly messageId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** @internal What an outcome means for the claim. */
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

/** @internal */
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
 * @internal The text if it is a short identifier, such as `duplicate_parameter`: never a sentence,
 * an address or a key.
 */
export function identifier(text: unknown): string | undefined {
  if (typeof text === 'number' && Number.isSafeInteger(text)) return String(text);
  return typeof text === 'string' && /^[A-Za-z\d][\w.-]{0,39}$/.test(text) ? text : undefined;
}
