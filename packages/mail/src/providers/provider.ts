import type { Email } from './email.ts';
import type { Outcome, OutcomeState } from './outcome.ts';
import type { HttpAnswer } from './post-once.ts';

/** @internal What an API can carry; what it cannot is refused before the dispatch. */
export interface Capabilities {
  /** `false`: one recipient in `to`, none in cc and bcc. */
  readonly severalRecipients: boolean;
  /** How many Reply-To addresses. */
  readonly replyTo: 0 | 1 | 'several';
  readonly headers: boolean;
  readonly attachments: boolean;
  /** Attachments with a Content-ID. */
  readonly inlineImages: boolean;
}

/** @internal Says only what an API lacks: `{ ...supportsEverything, replyTo: 1 }`. */
export const supportsEverything: Capabilities = {
  severalRecipients: true,
  replyTo: 'several',
  headers: true,
  attachments: true,
  inlineImages: true,
};

/** @internal One provider: how its API takes an email, and what its answers mean. */
export interface Provider {
  readonly name: string;
  readonly supports: Capabilities;
  /**
   * The request, the same bytes for the same email and key: no time, nothing random, fields in a
   * fixed order. May throw what the API cannot carry.
   */
  request(
    email: Email,
    key: string | undefined,
  ): { readonly headers: Readonly<Record<string, string>>; readonly body: object };
  /**
   * Reads a 2xx answer: the id, another outcome (accepted, yet not the email), or undefined if it
   * cannot be read.
   */
  accepted(answer: HttpAnswer): { readonly messageId: string } | Outcome | undefined;
  /** Whether a 2xx answer is that of an earlier request with the same key. */
  replayed?(answer: HttpAnswer): boolean;
  /** The provider's own name for an error. */
  providerCode(answer: HttpAnswer): unknown;
  /** What a status and code mean for a request with a key, where the key decided. */
  keyAnswer?(status: number, code: string | undefined): OutcomeState | undefined;
  /** What a status and code mean at this provider, where it differs from the common reading. */
  refusal?(status: number, code: string | undefined): OutcomeState | undefined;
}
