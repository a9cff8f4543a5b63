import { DAY_MS, checkNames } from '@sendonce/core/ledger';
import type { Email } from './email.ts';
import { keyHeader } from './idempotency-key.ts';
import { contact } from './mailbox.ts';
import type { OutcomeState } from './outcome.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry, incompleteEmail } from './provider-error.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Capabilities,
  supportsEverything,
  supportsTemplates,
  type Provider,
} from './provider.ts';
import { field, readMessageId } from './read-answer.ts';
import type { Variables } from './template-variables.ts';

/**
 * Returns a nodemailer transport for Plunk's API (`POST /v1/send`). Under a claim it sends the
 * claim's key in the header `Idempotency-Key`, and Plunk refuses a second request with the same
 * key. Its refusal has the status of the first request: if it was accepted, the email is
 * `sent-already`, without an id. If it failed with a 5xx, the email stays in doubt.
 *
 * If the connection of the first request broke, Plunk keeps the status `null`, which also means "in
 * progress". Such an email stays in doubt although Plunk has its key: look it up in Plunk, then
 * resolve it.
 *
 * Plunk sends HTML and writes the text from it. So an email needs `html`, and `text` is refused. An
 * email may have one recipient, because Plunk makes a separate email for each. A content with `{{`
 * or `{%` is refused, because Plunk would read it as a template. For Plunk on your own server, set
 * `url`, and `windowMs` if its keys live shorter than 24 hours (`IDEMPOTENCY_KEY_TTL_HOURS`).
 *
 * A `template` ({@link TemplateMessage}) is one of Plunk's, by its id. `from` and `subject` may be
 * left out; they replace those of the template. The variables are not kept as data of the contact.
 *
 * Written from Plunk's documentation and source of October 2026 and tested against a local server
 * that behaves as they describe. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.PLUNK_SECRET_KEY ?? '';
 * const transporter = createTransport(plunkTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function plunkTransport(options: KeyedProviderOptions): ProviderTransport {
  checkNames('plunkTransport()', options, KEYED_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://next-api.useplunk.com/v1/send');
  const windowMs = checkWindow(options, DAY_MS);
  return providerTransport(plunk(settings.apiKey), settings, windowMs);
}

const supports: Capabilities = { ...supportsEverything, severalRecipients: false, replyTo: 1 };

function plunk(apiKey: string): Provider {
  return {
    name: 'Plunk',
    supports,
    templates: { ...supportsTemplates, ...supports, from: 'optional', subject: true },
    request: (email, key) => ({
      headers: { authorization: `Bearer ${apiKey}`, ...keyHeader(key) },
      body: buildBody(email),
    }),
    accepted: ({ json }) => {
      const emails = field(field(json, 'data'), 'emails');
      return readMessageId(field(Array.isArray(emails) ? emails[0] : undefined, 'email'));
    },
    providerCode: ({ json }) => field(field(json, 'error'), 'code'),
    keyAnswer: (_status, code, answer) =>
      code === 'IDEMPOTENCY_KEY_REUSED' ? readFirstStatus(answer) : undefined,
    // A 5xx keeps the key, and the email may have been sent, also with a `Retry-After`.
    refusal: (status) => (status === 503 ? 'unknown' : undefined),
  };
}

/** Reads how the first request with the key ended. */
function readFirstStatus({ json }: HttpAnswer): OutcomeState {
  const status = field(field(field(json, 'error'), 'details'), 'originalStatusCode');
  if (typeof status !== 'number') return 'in-progress';
  return status >= 200 && status <= 299 ? 'sent-already' : 'unknown';
}

function buildBody(email: Email): object {
  const { from, to, replyTo, subject, html, text, headers, attachments, template } = email;
  if (text !== undefined) {
    throw cannotCarry('Plunk', 'it has a text version, and Plunk makes one from the HTML');
  }
  if (!subject && !template)
    throw incompleteEmail('Plunk', 'it has no subject, which Plunk requires');
  if ([subject, html].some((part) => part !== undefined && /\{[{%]/.test(part))) {
    throw cannotCarry('Plunk', 'it contains "{{" or "{%", which Plunk reads as a template');
  }
  return {
    to: to[0] && contact(to[0]),
    ...(from.address && { from: contact(from) }),
    ...(subject && { subject }),
    ...(html !== undefined && { body: html }),
    ...(template && { template: template.id }),
    ...(template?.variables && { data: forThisEmail(template.variables) }),
    ...(replyTo[0] && { reply: replyTo[0].address }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        filename,
        content,
        contentType,
        ...(cid !== undefined && { contentId: cid, disposition: 'inline' }),
      })),
    }),
  };
}

/** Otherwise Plunk would keep the values as data of the contact. */
function forThisEmail(variables: Variables): object {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, { value, persistent: false }]),
  );
}
