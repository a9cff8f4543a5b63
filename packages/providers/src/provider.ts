import type { Email } from './email.ts';
import type { Outcome, OutcomeState } from './outcome.ts';
import type { HttpAnswer } from './post-once.ts';

/** @internal What an API can carry. Everything else is refused before the dispatch. */
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

/** @internal What an API can carry beside a stored template. */
export interface TemplateCapabilities extends Capabilities {
  /** The types of a template's id. */
  readonly ids: readonly ('string' | 'number')[];
  /** `refused`: the template alone sets the sender. `optional`: it replaces the template's. */
  readonly from: 'required' | 'optional' | 'refused';
  /** Whether a subject replaces that of the template. */
  readonly subject: boolean;
}

/** @internal For an API that lacks something: `{ ...supportsEverything, replyTo: 1 }`. */
export const supportsEverything: Capabilities = {
  severalRecipients: true,
  replyTo: 'several',
  headers: true,
  attachments: true,
  inlineImages: true,
};

/** @internal What a 2xx answer means: undefined if it cannot be read. */
export type Accepted = Pick<Outcome, 'messageId' | 'refused'> | Outcome | undefined;

/** @internal The usual API with templates: its template sets the subject. */
export const supportsTemplates: TemplateCapabilities = {
  ...supportsEverything,
  ids: ['string'],
  from: 'required',
  subject: false,
};

/** @internal */
export interface ProviderRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
  /** Added to the path of the URL. */
  readonly subpath?: string;
}

/** @internal The meaning of a provider's answers: the same for its transport and its SDK. */
export interface ProviderAnswers {
  readonly name: string;
  /**
   * Reads a 2xx answer: the id, another outcome (for example a suppressed recipient), or undefined
   * if the answer cannot be read.
   * @param email undefined for a call of an SDK.
   */
  accepted(answer: HttpAnswer, email: Email | undefined): Accepted;
  /** Whether a 2xx answer repeats that of an earlier request with the same key. */
  replayed?(answer: HttpAnswer): boolean;
  /** The provider's error code. */
  providerCode(answer: HttpAnswer): unknown;
  /** The outcome of a request with a key, if the status and the code concern the key. */
  keyAnswer?(
    status: number,
    code: string | undefined,
    answer: HttpAnswer,
  ): OutcomeState | undefined;
  /** The outcome of a status and code, if it differs from that of other providers. */
  refusal?(status: number, code: string | undefined): OutcomeState | undefined;
}

/** @internal A provider: the requests of its API, and the meaning of its answers. */
export interface Provider extends ProviderAnswers {
  readonly supports: Capabilities;
  /** What an email with a stored template can carry. Undefined if the API has no templates. */
  readonly templates?: TemplateCapabilities;
  /**
   * Builds the request. The body must be the same for the same email and key: no time, no random
   * value, and fields in a fixed order. It throws if the API cannot carry the email.
   */
  request(email: Email, key: string | undefined): ProviderRequest;
}
