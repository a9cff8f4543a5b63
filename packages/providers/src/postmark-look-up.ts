import type { Resolver } from '@sendonce/core';
import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import { checkLookUpOptions, lookUp, type LookUpOptions, LOOK_UP_OPTION_NAMES } from './look-up.ts';
import { checkHeaderText } from './provider-options.ts';
import { field } from './read-answer.ts';

/** The options of {@link postmarkLookUp}. */
export interface PostmarkLookUpOptions extends LookUpOptions {
  /** The message stream of the transport. @default Postmark's default, `outbound` */
  readonly messageStream?: string | undefined;
}

const NAMES: OptionNames<PostmarkLookUpOptions> = { ...LOOK_UP_OPTION_NAMES, messageStream: true };

/**
 * Returns a resolver that asks Postmark about an email in doubt. It searches the messages (`GET
 * /messages/outbound`) for the claim's key, which {@link postmarkTransport} sets as the metadata
 * `sendonce`. A message that is queued or sent is `sent`. If there is none, the email is `unknown`,
 * because Postmark does not document how soon a message can be found. Postmark keeps messages for
 * 45 days by default.
 *
 * Written from Postmark's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const resolver = postmarkLookUp({ apiKey: process.env.POSTMARK_SERVER_TOKEN ?? '' })
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function postmarkLookUp(options: PostmarkLookUpOptions): Resolver {
  checkNames('postmarkLookUp()', options, NAMES);
  const { messageStream } = options;
  const settings = checkLookUpOptions(options, 'https://api.postmarkapp.com/messages/outbound');
  if (messageStream !== undefined) {
    checkHeaderText('messageStream', messageStream, 'the id of a message stream');
  }
  return lookUp(settings, async ({ key }, get) => {
    const url = new URL(settings.url);
    url.searchParams.set('count', '10');
    url.searchParams.set('offset', '0');
    url.searchParams.set('metadata_sendonce', key);
    if (messageStream !== undefined) url.searchParams.set('messagestream', messageStream);
    const { status, json } = await get(url.href, { 'x-postmark-server-token': settings.apiKey });
    const messages = field(json, 'Messages');
    if (status !== 200 || !Array.isArray(messages)) return 'unknown';
    // A server that ignores the filter would return other emails.
    const own = (message: unknown) => field(field(message, 'Metadata'), 'sendonce') === key;
    return (messages as unknown[]).some(own) ? 'sent' : 'unknown';
  });
}
