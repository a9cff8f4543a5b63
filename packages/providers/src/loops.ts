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
import { incompleteEmail } from './provider-error.ts';
import {
  type Capabilities,
  supportsEverything,
  supportsTemplates,
  type Provider,
} from './provider.ts';
import { field, isObject } from './read-answer.ts';
import type { EmailTemplate } from './template.ts';
import { checkVariables, isTextOrNumber, type TemplateValue } from './template-variables.ts';

/**
 * The parts of an email without `template` that a Loops template can show: the argument of
 * `dataVariables`.
 */
export interface LoopsParts {
  readonly from: string;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly replyTo?: string;
}

/** The options of {@link loopsTransport}. */
export interface LoopsOptions extends KeyedProviderOptions {
  /**
   * The id of the Loops template for an email without `template`, which has its content in
   * `subject`, `text` and `html`.
   * @default none: an email without `template` is refused, because Loops sends only templates
   */
  readonly transactionalId?: string | undefined;
  /**
   * Returns the data variables of the template `transactionalId`. It must return the same ones for
   * the same email.
   * @default the parts: `from`, `subject`, `text`, `html`, `replyTo`
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
 * Returns a nodemailer transport for Loops' API (`POST /api/v1/transactional`), which fills a
 * template: that of the email ({@link TemplateMessage}), or `transactionalId`. The email contains
 * only what the template shows. A template's variables are texts, numbers, and lists of objects of
 * them. `from`, `subject` and Reply-To are refused beside it, because Loops takes them from the
 * template. Under a claim it sends the claim's key
 * in the header `Idempotency-Key`, and Loops answers a second request with the same key by a 409,
 * even with other content.
 *
 * The 409 does not say whether the first request sent the email. So an email in doubt that reached
 * Loops stays in doubt, and one that did not is sent by its replay.
 *
 * Loops returns no id. cc, bcc, custom headers and inline images are refused.
 *
 * Written from Loops' documentation of November 2026 and tested against a local server that behaves
 * as it describes. It was never run against a live account. Loops does not document whether a
 * refused request uses up its key.
 *
 * @example
 * const transporter = createTransport(loopsTransport({ apiKey }))
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function loopsTransport(options: LoopsOptions): ProviderTransport {
  checkNames('loopsTransport()', options, NAMES);
  const settings = checkProviderOptions(options, 'https://app.loops.so/api/v1/transactional');
  const { transactionalId, dataVariables = asTheyAre } = options;
  if (transactionalId !== undefined) {
    checkHeaderText('transactionalId', transactionalId, 'the id of a Loops template');
  }
  checkFunction('dataVariables', dataVariables);
  const windowMs = checkWindow(options, DAY_MS);
  const body = (email: Email) => ({
    email: email.to[0]?.address,
    ...(email.template
      ? toTemplate(email.template)
      : {
          transactionalId: transactionalId ?? refuseContent(),
          dataVariables: dataVariables(toLoopsParts(email)),
        }),
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

const supports: Capabilities = {
  ...supportsEverything,
  severalRecipients: false,
  replyTo: 1,
  headers: false,
  inlineImages: false,
};

function loops(apiKey: string, body: (email: Email) => object): Provider {
  return {
    name: 'Loops',
    supports,
    templates: { ...supportsTemplates, ...supports, replyTo: 0, from: 'refused' },
    request: (email, key) => ({
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...keyHeader(key),
      },
      body: body(email),
    }),
    accepted: ({ json }) => (field(json, 'success') === true ? { state: 'sent' } : undefined),
    // Its errors have a message and no code.
    providerCode: () => undefined,
    // There is no keyAnswer: a 409 does not say whether the email was sent, is in progress, or has
    // other content.
  };
}

function toTemplate(template: EmailTemplate): object {
  checkVariables(template.variables, 'Loops', isVariable);
  return {
    transactionalId: template.id,
    ...(template.variables && { dataVariables: template.variables }),
  };
}

/** A text, a number, or a list of objects of them. */
function isVariable(value: TemplateValue): boolean {
  if (!Array.isArray(value)) return isTextOrNumber(value);
  return (value as readonly TemplateValue[]).every(
    (item) => isObject(item) && Object.values(item).every(isTextOrNumber),
  );
}

function refuseContent(): never {
  const what = 'it has no "template", and the transport no "transactionalId"';
  throw incompleteEmail('Loops', `${what}: Loops sends only templates`);
}

function asTheyAre({ from, subject, text, html, replyTo }: LoopsParts): Record<string, string> {
  return {
    from,
    subject,
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    ...(replyTo !== undefined && { replyTo }),
  };
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
