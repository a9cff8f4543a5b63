import type { Resolver } from '@sendonce/core';
import { checkNames } from '@sendonce/core/ledger';
import { checkLookUpOptions, lookUp, type LookUpOptions, LOOK_UP_OPTION_NAMES } from './look-up.ts';
import { field } from './read-answer.ts';

/**
 * Returns a resolver that asks SendGrid about an email in doubt. It searches the Email Activity
 * (`GET /v3/messages`) for the claim's key, which {@link sendGridTransport} sets as the custom
 * argument `sendonce`. If it finds the email, it is `sent`. If not, it is `unknown`, because the
 * activity is late. It uses two of the six requests that SendGrid permits per minute: the second
 * one checks that the email found has the key.
 *
 * It needs SendGrid's paid email activity history, and an API key that may read it.
 *
 * Written from SendGrid's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const resolver = sendGridLookUp({ apiKey: process.env.SENDGRID_API_KEY ?? '' })
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function sendGridLookUp(options: LookUpOptions): Resolver {
  checkNames('sendGridLookUp()', options, LOOK_UP_OPTION_NAMES);
  const settings = checkLookUpOptions(options, 'https://api.sendgrid.com/v3/messages');
  const headers = { authorization: `Bearer ${settings.apiKey}` };
  return lookUp(settings, async ({ key }, get) => {
    const search = new URL(settings.url);
    search.searchParams.set('limit', '1');
    search.searchParams.set('query', `(unique_args['sendonce']="${key}")`);
    const found = await get(search.href, headers);
    const messages = field(found.json, 'messages');
    const id = field(Array.isArray(messages) ? messages[0] : undefined, 'msg_id');
    if (found.status !== 200 || typeof id !== 'string' || id === '') return 'unknown';

    const single = new URL(settings.url);
    single.pathname += `/${encodeURIComponent(id)}`;
    const { status, json } = await get(single.href, headers);
    return status === 200 && argued(field(json, 'unique_args'), key) ? 'sent' : 'unknown';
  });
}

/** Whether the custom arguments have the key. They are an object, or JSON of one. */
function argued(given: unknown, key: string): boolean {
  const parsed: unknown = typeof given === 'string' ? JSON.parse(given) : given;
  return field(parsed, 'sendonce') === key;
}
