import type { Resolver } from '@sendonce/core';
import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import { checkLookUpOptions, lookUp, type LookUpOptions, LOOK_UP_OPTION_NAMES } from './look-up.ts';
import { checkHeaderText } from './provider-options.ts';
import { field } from './read-answer.ts';

export interface PostmarkLookUpOptions extends LookUpOptions {
  /** The one that the transport has. @default Postmark's own, `outbound` */
  readonly messageStream?: string | undefined;
}

const NAMES: OptionNames<PostmarkLookUpOptions> = { ...LOOK_UP_OPTION_NAMES, messageStream: true };

/**
 * A resolver that searches Postmark's messages (`GET /messages/outbound`) for the metadata
 * `sendonce` that `postmarkTransport()` gives every email under a claim: its key. Found, queued or
 * sent, is `sent`; nothing found is `unknown`, because Postmark does not say how soon a message can
 * be found. Postmark keeps messages for 45 days, or as the server is set.
 *
 * Built from Postmark's documentation as it was in November 2026 and tested against a local server
 * that behaves as it says; never run against a live account.
 *
 * @example
 * const resolver = postmarkLookUp({ apiKey: process.env.POSTMARK_SERVER_TOKEN ?? '' })
 * @throws {OptionError} which never shows the API key.
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
    // A server that ignores the filter answers with other emails.
    const own = (message: unknown) => field(field(message, 'Metadata'), 'sendonce') === key;
    return (messages as unknown[]).some(own) ? 'sent' : 'unknown';
  });
}
