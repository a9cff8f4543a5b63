import { currentClaim, type Effect } from '@sendonce/core';
import {
  keptClaim,
  providerMark,
  type SendCallback,
  type StreamPluginMail,
} from '../nodemailer-shapes.ts';
import { readEmail } from './email.ts';
import { noteOf, type Outcome, verdictOf } from './outcome.ts';
import { type Post, postOnce } from './post-once.ts';
import type { ProviderMail } from './provider-mail.ts';
import type { Settings } from './provider-options.ts';
import type { Provider } from './provider.ts';
import { failureOf } from './provider-error.ts';
import { readAnswer } from './read-answer.ts';

/** What `sendMail()` resolves with. */
export interface ProviderSentInfo {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** The provider's id of the email, where the answer had one. */
  readonly messageId: string | undefined;
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  /** The HTTP status, and whether an earlier request had sent it: `200 sent`, `200 sent-already`. */
  readonly response: string;
}

/** The little of nodemailer's MailMessage that a provider transport takes. */
export type ProviderMessage = Pick<StreamPluginMail, 'data' | 'message'>;

/** A transport for `nodemailer.createTransport()`, 6.9 to 10. */
export interface ProviderTransport {
  readonly name: string;
  readonly version: string;
  /**
   * How long the provider remembers an idempotency key, in milliseconds: so long the same request is no
   * second email. Undefined: it has no such key.
   */
  readonly idempotencyWindowMs: number | undefined;
  send(
    mail: ProviderMessage,
    callback: (error: Error | null, info: ProviderSentInfo) => void,
  ): void;
}

/**
 * @internal The one engine of all provider transports: read the email, dispatch the claim, make exactly
 * one POST, read its answer once, report.
 */
export function providerTransport(
  provider: Provider,
  settings: Settings,
  windowMs: number | undefined,
): ProviderTransport {
  const transport: ProviderTransport = {
    name: `sendonce/${provider.name}`,
    version: '1',
    idempotencyWindowMs: windowMs,
    send: (mail, callback) =>
      void run(provider, settings, mail as ProviderMail, callback as SendCallback),
  };
  return Object.assign(transport, { [providerMark]: true });
}

async function run(
  provider: Provider,
  settings: Settings,
  mail: ProviderMail,
  callback: SendCallback,
): Promise<void> {
  let info: ProviderSentInfo;
  try {
    info = await sendOnce(provider, settings, mail);
  } catch (error) {
    callback(error as Error);
    return;
  }
  callback(null, info);
}

async function sendOnce(
  provider: Provider,
  settings: Settings,
  mail: ProviderMail,
): Promise<ProviderSentInfo> {
  const claim = keptClaim(mail) ?? currentClaim();
  // At once, so that a send that nobody awaits is waited for.
  const effect = claim?.begin();
  const post = await prepare(provider, settings, mail, claim?.key, effect);
  await effect?.dispatch();
  const outcome = readAnswer(provider, await postOnce(post), claim !== undefined);
  return conclude(provider, outcome, mail, effect);
}

/** All that can fail before the email can leave. */
async function prepare(
  provider: Provider,
  settings: Settings,
  mail: ProviderMail,
  key: string | undefined,
  effect: Effect | undefined,
): Promise<Post> {
  try {
    const email = await readEmail(mail, provider, effect !== undefined);
    const { headers, body } = provider.request(email, key);
    const { url, timeoutMs, fetch } = settings;
    return { url, headers, body: JSON.stringify(body), timeoutMs, fetch };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    const note = typeof code === 'string' ? code : 'error';
    effect?.report({ verdict: 'not-sent', note, error });
    throw error;
  }
}

function conclude(
  provider: Provider,
  outcome: Outcome,
  mail: ProviderMail,
  effect: Effect | undefined,
): ProviderSentInfo {
  const { state, messageId, status } = outcome;
  const verdict = verdictOf(state);
  const id = messageId !== undefined && { messageId };
  if (verdict !== 'sent') {
    const error = failureOf(provider.name, outcome);
    effect?.report({ verdict, error, note: noteOf(outcome), ...id });
    throw error;
  }
  effect?.report({ verdict, ...id, ...(state === 'sent-already' && { note: state }) });
  const { from, to } = mail.message.getEnvelope();
  const accepted = Array.isArray(to) ? to.map(String) : [];
  return {
    envelope: { from: String(from), to: accepted },
    messageId,
    accepted,
    rejected: [],
    response: `${status} ${state}`,
  };
}
