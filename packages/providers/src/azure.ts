import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import { type AzureAccount, azureHeaders, checkAzureAccount } from './azure-signature.ts';
import type { Email, EmailAddress } from './email.ts';
import { toUuid } from './idempotency-key.ts';
import type { Outcome } from './outcome.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry } from './provider-error.ts';
import { checkProviderOptions, type ProviderOptions } from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { supportsEverything, type Provider } from './provider.ts';
import { field, readMessageId } from './read-answer.ts';

/** The options of {@link azureTransport}. */
export interface AzureOptions extends AzureAccount, Omit<ProviderOptions, 'apiKey' | 'url'> {}

/** @internal */
export const azureApiVersion = '2025-09-01';

const NAMES: OptionNames<AzureOptions> = {
  endpoint: true,
  accessKey: true,
  answerWithinMs: true,
  fetch: true,
  disableFileAccess: true,
  disableUrlAccess: true,
  recipients: true,
};

/**
 * Returns a nodemailer transport for Azure Communication Services Email (`POST /emails:send`).
 * Under a claim, the `Operation-Id` is the claim's key as a UUID, by which {@link azureLookUp}
 * finds the email.
 *
 * Azure has no idempotency key that sendonce can use, so a doubt is never resolved by sending
 * again. Azure does not document that a second request with the same `Operation-Id` sends nothing.
 * The documented `Repeatability-First-Sent` is the time of the first request, which a second
 * attempt does not have.
 *
 * A From with a name is refused, because Azure takes the name from the resource.
 *
 * Written from Azure's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const transporter = createTransport(azureTransport({ endpoint, accessKey }))
 * @throws {OptionError} for a wrong option. The message never shows the access key.
 */
export function azureTransport(options: AzureOptions): ProviderTransport {
  checkNames('azureTransport()', options, NAMES);
  const { accessKey } = options;
  const url = `${checkAzureAccount(options)}/emails:send?api-version=${azureApiVersion}`;
  const settings = checkProviderOptions({ ...options, url, apiKey: accessKey }, url);
  return providerTransport(azure(settings.url, accessKey), settings, undefined);
}

function azure(url: string, accessKey: string): Provider {
  return {
    name: 'Azure',
    supports: supportsEverything,
    request: (email, key) => {
      const body = buildBody(email);
      // The signature contains the time. The body does not, so it is the same in each attempt.
      const signed = { method: 'POST', url, body: JSON.stringify(body), accessKey } as const;
      return {
        headers: {
          ...azureHeaders({ ...signed, date: new Date() }),
          ...(key !== undefined && { 'operation-id': toUuid(key) }),
        },
        body,
      };
    },
    accepted,
    providerCode: ({ json }) => field(field(json, 'error'), 'code'),
  };
}

function accepted({
  status,
  json,
}: HttpAnswer): { readonly messageId: string } | Outcome | undefined {
  if (status !== 202) return undefined;
  const state = field(json, 'status');
  if (state === 'Failed' || state === 'Canceled') return { state: 'rejected', code: state };
  return readMessageId(field(json, 'id'));
}

function buildBody(email: Email): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  if (from.name) throw cannotCarry('Azure', 'its From has a name');
  return {
    senderAddress: from.address,
    recipients: {
      to: to.map(contact),
      ...(cc.length > 0 && { cc: cc.map(contact) }),
      ...(bcc.length > 0 && { bcc: bcc.map(contact) }),
    },
    ...(replyTo.length > 0 && { replyTo: replyTo.map(contact) }),
    content: {
      subject,
      ...(text !== undefined && { plainText: text }),
      ...(html !== undefined && { html }),
    },
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        name: filename,
        contentType,
        contentInBase64: content,
        ...(cid !== undefined && { contentId: cid }),
      })),
    }),
  };
}

function contact({ name, address }: EmailAddress): object {
  return { address, ...(name && { displayName: name }) };
}
