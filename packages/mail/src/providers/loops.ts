import { checkFunction, DAY_MS, checkNames, type OptionNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import type { Email } from './email.ts';
import { mailbox } from './mailbox.ts';
import {
  checkHeaderText,
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { supportsEverything, type Provider } from './provider.ts';
import { field } from './read-answer.ts';

/** The parts of an email that a Loops template can show. */
export interface LoopsParts {
  readonly from: string;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly replyTo?: string;
}

export interface LoopsOptions extends KeyedProviderOptions {
  /** The template: Loops sends nothing else. */
  readonly transactionalId: string;
  /**
   * Makes the template's data variables. The same email must make the same ones.
   * @default the parts as they are: `from`, `subject`, `text`, `html`, `replyTo`
   */
  readonly dataVariables?:
    | ((parts: LoopsParts) => Readonly<Record<string, string | number>>)
    | undefined;
}

const NAMES: OptionNames<LoopsOptions> = {
  ...KEYED_OPTION_NAMES,
  transactionalId: true,
  dataVariables: true,
};

/**
 * A nodemailer transport for Loops' API (`POST /api/v1/transactional`), which fills a template:
 * what the template does not show is not in the email. Under a claim it sends the claim's key in
 * the header `Idempotency-Key`, and Loops answers a second request with it by a 409, even with
 * other content.
 *
 * That answer does not say whether the first one was sent: an email in doubt that had reached Loops
 * stays in doubt, and one that had not is sent by its replay.
 *
 * Loops gives an email no id. cc, bcc, custom headers and inline images are refused.
 *
 * Built from Loops' documentation as it was in November 2026 and tested against a local server that
 * behaves as it says; never run against a live account. Not documented: whether a request that
 * Loops refused has used up its key.
 *
 * @example
 * const transporter = createTransport(loopsTransport({ apiKey, transactionalId }))
 * @throws {OptionError} which never shows the API key.
 */
export function loopsTransport(options: LoopsOptions): ProviderTransport {
  checkNames('loopsTransport()', options, NAMES);
  const settings = checkProviderOptions(options, 'https://app.loops.so/api/v1/transactional');
  const { transactionalId, dataVariables = asTheyAre } = options;
  checkHeaderText('transactionalId', transactionalId, 'the id of a Loops template');
  checkFunction('dataVariables', dataVariables);
  const windowMs = checkWindow(options, DAY_MS);
  const body = (email: Email) => ({
    email: email.to[0]?.address,
    transactionalId,
    dataVariables: dataVariables(toLoopsParts(email)),
    ...(email.attachments.length > 0 && {
      attachments: email.attachments.map(({ filename, contentType, content }) => ({
        filename,
        contentType,
        data: content,
      })),
    }),
  });
  return providerTransport(loops(settings.apiKey, body), settings, windowMs);
}

function loops(apiKey: string, body: (email: Email) => object): Provider {
  return {
    name: 'Loops',
    supports: {
      ...supportsEverything,
      severalRecipients: false,
      replyTo: 1,
      headers: false,
      inlineImages: false,
    },
    request: (email, key) => ({
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...keyHeader(key),
      },
      body: body(email),
    }),
    accepted: ({ json }) => (field(json, 'success') === true ? { state: 'sent' } : undefined),
    // Its errors have a sentence and no code.
    providerCode: () => undefined,
    // A 409 says that the key was used: by an email that was sent, is on its way, or has other
    // content?
  };
}

function asTheyAre(parts: LoopsParts): Record<string, string> {
  return { ...parts };
}

function toLoopsParts({ from, subject, text, html, replyTo }: Email): LoopsParts {
  return {
    from: mailbox(from),
    subject,
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    ...(replyTo[0] && { replyTo: mailbox(replyTo[0]) }),
  };
}
