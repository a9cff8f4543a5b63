import type { Resolver } from '@sendonce/core';
import { checkNames } from '@sendonce/core/ledger';
import { checkLookUpOptions, lookUp, type LookUpOptions, LOOK_UP_OPTION_NAMES } from './look-up.ts';
import { field } from './read-answer.ts';

/**
 * Returns a resolver that asks Brevo about an email in doubt. It searches the event log (`GET
 * /v3/smtp/statistics/events`, 30 days) for the claim's key, which {@link brevoTransport} sets as
 * the tag. If there is an event, the email is `sent`. If there is none, it is `unknown`, because
 * Brevo does not document how soon an email is in the log.
 *
 * Written from Brevo's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const resolver = brevoLookUp({ apiKey: process.env.BREVO_API_KEY ?? '' })
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function brevoLookUp(options: LookUpOptions): Resolver {
  checkNames('brevoLookUp()', options, LOOK_UP_OPTION_NAMES);
  const settings = checkLookUpOptions(options, 'https://api.brevo.com/v3/smtp/statistics/events');
  return lookUp(settings, async ({ key }, get) => {
    const url = new URL(settings.url);
    url.searchParams.set('tags', JSON.stringify([key]));
    url.searchParams.set('limit', '10');
    const { status, json } = await get(url.href, { 'api-key': settings.apiKey });
    const events = field(json, 'events');
    if (status !== 200 || !Array.isArray(events)) return 'unknown';
    return (events as unknown[]).some((event) => tagged(event, key)) ? 'sent' : 'unknown';
  });
}

/**
 * A server that ignores the filter answers with other emails. The tag is a text, or a list written
 * as JSON.
 */
function tagged(event: unknown, key: string): boolean {
  const tag = field(event, 'tag');
  return tag === key || tag === JSON.stringify([key]);
}
