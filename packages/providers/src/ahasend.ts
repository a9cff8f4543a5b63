import { OptionError } from '@sendonce/core';
import { DAY_MS, checkNames, type OptionNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import type { Email } from './email.ts';
import { contact } from './mailbox.ts';
import type { HttpAnswer } from './post-once.ts';
import {
  checkHeaderText,
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { type Accepted, supportsEverything, type Provider } from './provider.ts';
import { withRefused } from './refused-recipients.ts';
import { field, readMessageId } from './read-answer.ts';

/** The options of {@link ahaSendTransport}. */
export interface AhaSendOptions extends KeyedProviderOptions {
  /** The id of the AhaSend account. It is a part of the URL. */
  readonly accountId: string;
}

const NAMES: OptionNames<AhaSendOptions> = { ...KEYED_OPTION_NAMES, accountId: true };

/**
 * A nodemailer transport for AhaSend's API 2 (`POST …/messages/conversation`, which sends one email
 * and knows no templates). Under a claim it sends the claim's key in the header `Idempotency-Key`,
 * and AhaSend repeats its first answer, marked as such. It repeats a refusal, too: correct the
 * email, then send it under a new key.
 *
 * Written from AhaSend's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const transporter = createTransport(ahaSendTransport({ apiKey, accountId }))
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function ahaSendTransport(options: AhaSendOptions): ProviderTransport {
  checkNames('ahaSendTransport()', options, NAMES);
  const { accountId } = options;
  checkHeaderText('accountId', accountId, 'the id of the AhaSend account');
  if (!/^[\w-]+$/.test(accountId)) {
    throw new OptionError(
      'accountId',
      'Expected "accountId" to be an id of letters, digits and hyphens.',
    );
  }
  const url = `https://api.ahasend.com/v2/accounts/${accountId}/messages/conversation`;
  const settings = checkProviderOptions(options, url);
  const windowMs = checkWindow(options, DAY_MS);
  return providerTransport(ahaSend(settings.apiKey), settings, windowMs);
}

function ahaSend(apiKey: string): Provider {
  return {
    name: 'AhaSend',
    supports: { ...supportsEverything, replyTo: 1 },
    request: (email, key) => ({
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...keyHeader(key),
      },
      body: buildBody(email),
    }),
    accepted,
    replayed: ({ headers }) => headers.get('idempotent-replayed') === 'true',
    // Its errors have a message and no code.
    providerCode: () => undefined,
    keyAnswer: (status) => {
      if (status === 409) return 'in-progress';
      // Documented for other content only. Other refusals are a 400.
      if (status === 422) return 'conflict';
      // An earlier request with this key failed, and it is unknown whether it sent the email.
      return status === 412 ? 'unknown' : undefined;
    },
  };
}

function accepted({ json }: HttpAnswer, email: Email | undefined): Accepted {
  const data = field(json, 'data');
  if (!Array.isArray(data) || data.length === 0) return undefined;
  // The answer has one entry for each recipient.
  const isRefused = (one: unknown) => field(one, 'status') === 'error';
  const taken = (data as unknown[]).find((one) => !isRefused(one));
  if (taken === undefined) return { state: 'rejected', code: 'recipient_rejected' };
  const addresses = (data as unknown[])
    .filter(isRefused)
    .map((one) => String(field(field(one, 'recipient'), 'email')).toLowerCase());
  return withRefused(readMessageId(field(taken, 'id')), email, { refused: new Set(addresses) });
}

function buildBody(email: Email): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  return {
    from: contact(from),
    to: to.map(contact),
    ...(cc.length > 0 && { cc: cc.map(contact) }),
    ...(bcc.length > 0 && { bcc: bcc.map(contact) }),
    ...(replyTo[0] && { reply_to: contact(replyTo[0]) }),
    subject,
    ...(text !== undefined && { text_content: text }),
    ...(html !== undefined && { html_content: html }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        base64: true,
        data: content,
        content_type: contentType,
        ...(cid !== undefined && { content_disposition: 'inline', content_id: cid }),
        file_name: filename,
      })),
    }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}
