import { DAY_MS, checkNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import { mailboxBody } from './mailbox-body.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Provider,
  type ProviderAnswers,
  supportsEverything,
  supportsTemplates,
} from './provider.ts';
import { field, readMessageId } from './read-answer.ts';
import { checkVariables, isTextOrNumber } from './template-variables.ts';

/**
 * Returns a nodemailer transport for Resend's API (`POST /emails`). Under a claim it sends the
 * claim's key in the header `Idempotency-Key`, and Resend answers a second request with the id of
 * the first one. Resend compares the content: if a template contains the current time, a replay is
 * a `conflict`.
 *
 * Resend's answer does not say that it is a repetition, so the outcome is `sent` and not
 * `sent-already`.
 *
 * A `template` ({@link TemplateMessage}) is one of Resend's, by id or alias. Its variables are
 * texts and numbers. `from` and `subject` may be left out; they replace those of the template.
 *
 * Written from Resend's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.RESEND_API_KEY ?? '';
 * const transporter = createTransport(resendTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function resendTransport(options: KeyedProviderOptions): ProviderTransport {
  checkNames('resendTransport()', options, KEYED_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://api.resend.com/emails');
  const windowMs = checkWindow(options, DAY_MS);
  return providerTransport(resend(settings.apiKey), settings, windowMs);
}

/** @internal */
export const resendAnswers: ProviderAnswers = {
  name: 'Resend',
  accepted: ({ json }) => readMessageId(field(json, 'id')),
  providerCode: ({ json }) => field(json, 'name'),
  keyAnswer: (_status, code) => {
    if (code === 'concurrent_idempotent_requests') return 'in-progress';
    return code === 'invalid_idempotent_request' ? 'conflict' : undefined;
  },
};

function resend(apiKey: string): Provider {
  return {
    ...resendAnswers,
    supports: supportsEverything,
    templates: { ...supportsTemplates, from: 'optional', subject: true },
    request: (email, key) => {
      if (email.template) checkVariables(email.template.variables, 'Resend', isTextOrNumber);
      return {
        headers: { authorization: `Bearer ${apiKey}`, ...keyHeader(key) },
        body: mailboxBody(email),
      };
    },
  };
}
