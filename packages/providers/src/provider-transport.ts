import { currentClaim, type Effect } from '@sendonce/core';
import { errorCode, registerDispatcher } from '@sendonce/core/ledger';
import { attachedClaim, markAsProvider } from '@sendonce/core/mail';
import { type Email, readEmail } from './email.ts';
import { toNote, type Outcome, toVerdict } from './outcome.ts';
import { type Post, postOnce } from './post-once.ts';
import type { ProviderMail } from './provider-mail.ts';
import type { ProviderSettings } from './provider-options.ts';
import type { Provider } from './provider.ts';
import { toProviderError } from './provider-error.ts';
import { readAnswer } from './read-answer.ts';

/** The result of `sendMail()` with a provider transport. */
export interface ProviderSentInfo {
  /** The sender, empty if a template sets it, and the recipients. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** The provider's id of the email, if the answer has one. */
  readonly messageId: string | undefined;
  /** The recipients. */
  readonly accepted: readonly string[];
  /**
   * Always empty: a refusal of the email is a {@link ProviderError}, and one of a copy (Cc, Bcc) is
   * the event `partly-refused`.
   */
  readonly rejected: readonly string[];
  /**
   * The HTTP status, and whether an earlier request sent the email: `200 sent` or `200
   * sent-already`.
   */
  readonly response: string;
}

/** The part of nodemailer's `MailMessage` that a provider transport uses. */
export interface ProviderMessage {
  /** The fields of the email, as `sendMail()` got them. */
  readonly data: object;
  /** The compiled message. */
  readonly message: { getEnvelope(): { readonly to?: unknown; readonly from?: unknown } };
}

/**
 * A transport for nodemailer's `createTransport()` (6.9 to 10) that sends by a provider's API.
 *
 * @example
 * const transporter = createTransport(transport);
 * const replayWithinMs = transport.windowMs;
 */
export interface ProviderTransport {
  /** Names the provider in the log of nodemailer, such as `sendonce/Resend`. */
  readonly name: string;
  /** Required by nodemailer, which only logs it. */
  readonly version: string;
  /**
   * How long the provider recognises an idempotency key, in milliseconds: the value for
   * `replayWithinMs`. Undefined if the provider has no idempotency key.
   */
  readonly windowMs: number | undefined;
  /** Sends one email. nodemailer calls it. */
  send(
    mail: ProviderMessage,
    callback: (error: Error | null, info: ProviderSentInfo) => void,
  ): void;
}

type SendCallback = (error: Error | null, info?: ProviderSentInfo) => void;

/** One email that a provider transport is given to send. */
interface OneEmail {
  readonly provider: Provider;
  readonly settings: ProviderSettings;
  readonly mail: ProviderMail;
}

/**
 * @internal Makes a transport of a provider: reads the email, dispatches the claim, makes exactly
 * one POST, reads its answer once, and reports the outcome.
 */
export function providerTransport(
  provider: Provider,
  settings: ProviderSettings,
  windowMs: number | undefined,
): ProviderTransport {
  registerDispatcher();
  const transport: ProviderTransport = {
    name: `sendonce/${provider.name}`,
    version: '1',
    windowMs: windowMs,
    send(mail, callback) {
      void sendAndCallBack(
        { provider, settings, mail: mail as ProviderMail },
        callback as SendCallback,
      );
    },
  };
  return markAsProvider(transport);
}

async function sendAndCallBack(email: OneEmail, callback: SendCallback): Promise<void> {
  let info: ProviderSentInfo;
  try {
    info = await sendOnce(email);
  } catch (error) {
    callback(error as Error);
    return;
  }
  callback(null, info);
}

async function sendOnce(one: OneEmail): Promise<ProviderSentInfo> {
  const { provider, mail } = one;
  const claim = attachedClaim(mail) ?? currentClaim();
  // Begun at once, so that perform() waits for a send that the processor does not await.
  const effect = claim?.begin();
  const { post, email } = await prepare(one, claim?.key, effect);
  await effect?.dispatch();
  const outcome = readAnswer(provider, await postOnce(post), {
    email,
    keyed: claim !== undefined,
  });
  reportOutcome(provider.name, outcome, effect);
  return toSentInfo(outcome, mail);
}

/** Everything that can fail before the request. */
async function prepare(
  { provider, settings, mail }: OneEmail,
  key: string | undefined,
  effect: Effect | undefined,
): Promise<{ readonly post: Post; readonly email: Email }> {
  try {
    const { access, recipients, answerWithinMs, fetch } = settings;
    const oneRecipient = recipients === 'one' && effect !== undefined;
    const email = await readEmail(mail, provider, { oneRecipient, access });
    const { headers, body, subpath } = provider.request(email, key);
    const url = subpath === undefined ? settings.url : addToPath(settings.url, subpath);
    const post = { url, headers, body: JSON.stringify(body), answerWithinMs, fetch };
    return { post, email };
  } catch (error) {
    effect?.report({ verdict: 'not-sent', note: errorCode(error), error });
    throw error;
  }
}

function addToPath(url: string, subpath: string): string {
  const longer = new URL(url);
  longer.pathname = `${longer.pathname.replace(/\/$/, '')}/${subpath}`;
  return longer.href;
}

/**
 * @internal Reports an outcome to the claim.
 * @param said what an SDK threw or resolved with.
 * @throws {ProviderError} unless the email was sent.
 */
export function reportOutcome(
  provider: string,
  outcome: Outcome,
  effect: Effect | undefined,
  said?: unknown,
): void {
  const { state, messageId, retryAfterMs, refused } = outcome;
  const verdict = toVerdict(state);
  const id = messageId !== undefined && { messageId };
  if (verdict === 'sent') {
    effect?.report({ verdict, ...id, refused, ...(state === 'sent-already' && { note: state }) });
    return;
  }
  const error = toProviderError(provider, outcome, said);
  effect?.report({ verdict, error, note: toNote(outcome), retryAfterMs, ...id });
  throw error;
}

function toSentInfo(
  { state, messageId, status }: Outcome,
  { message }: ProviderMail,
): ProviderSentInfo {
  const { from, to } = message.getEnvelope();
  const accepted = Array.isArray(to) ? to.map(String) : [];
  return {
    envelope: { from: typeof from === 'string' ? from : '', to: accepted },
    messageId,
    accepted,
    rejected: [],
    response: `${status} ${state}`,
  };
}
