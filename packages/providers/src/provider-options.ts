import { OptionError } from '@sendonce/core';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkOneOf,
  checkTimer,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import type { ContentAccess } from './content-sources.ts';
import type { Fetch } from './post-once.ts';

/** The options that all provider transports share. */
export interface ProviderOptions {
  /** The provider's API key. Errors never show it. */
  readonly apiKey: string;
  /**
   * The URL to which emails are posted, for example of a test server, a proxy or another region.
   * @default the provider's documented URL
   */
  readonly url?: string | undefined;
  /**
   * How long to wait for the complete answer, in milliseconds. If it is late, the email is in
   * doubt: do not set this too low.
   * @default 60_000 (1 minute)
   */
  readonly answerWithinMs?: number | undefined;
  /**
   * The function that makes the request. It must not retry or follow redirects.
   * @default Node's `fetch`
   */
  readonly fetch?: Fetch | undefined;
  /**
   * If true, an email is refused if its content would be read from a file, as with nodemailer's
   * option for SMTP. The defaults of the transporter and the email can set it as well. If one of
   * them sets it, the others cannot unset it.
   * @default false
   */
  readonly disableFileAccess?: boolean | undefined;
  /**
   * If true, an email is refused if its content would be read from a URL, see `disableFileAccess`.
   * @default false
   */
  readonly disableUrlAccess?: boolean | undefined;
  /**
   * How many recipients an email under a claim may have. `any`: To, Cc and Bcc of one message are
   * one email and one request, as far as the provider's API can send it. `one`: more than one fails
   * with `RecipientsError`.
   * @default 'any'
   */
  readonly recipients?: 'any' | 'one' | undefined;
}

/** The options of a transport whose provider accepts an idempotency key. */
export interface KeyedProviderOptions extends ProviderOptions {
  /**
   * How long the provider recognises a key, in milliseconds. A value above the documented one is an
   * `OptionError`, because after the window the same request sends a second email.
   * @default the provider's documented window: 24 hours, or 15 minutes with Brevo
   */
  readonly windowMs?: number | undefined;
}

/** @internal */
export const PROVIDER_OPTION_NAMES: OptionNames<ProviderOptions> = {
  apiKey: true,
  url: true,
  answerWithinMs: true,
  fetch: true,
  disableFileAccess: true,
  disableUrlAccess: true,
  recipients: true,
};

/** @internal */
export const KEYED_OPTION_NAMES: OptionNames<KeyedProviderOptions> = {
  ...PROVIDER_OPTION_NAMES,
  windowMs: true,
};

/** @internal */
export interface ProviderSettings {
  readonly apiKey: string;
  readonly url: string;
  readonly answerWithinMs: number;
  readonly fetch: Fetch;
  readonly access: ContentAccess;
  readonly recipients: 'any' | 'one';
}

/** @internal @throws {OptionError} for a wrong option. The message never shows the API key. */
export function checkProviderOptions(options: ProviderOptions, url: string): ProviderSettings {
  const { apiKey, answerWithinMs = 60_000, fetch, recipients = 'any' } = options;
  const { disableFileAccess, disableUrlAccess } = options;
  checkHeaderText('apiKey', apiKey, 'the API key of the provider');
  checkTimer('answerWithinMs', answerWithinMs);
  checkFunction('fetch', fetch, true);
  checkOneOf('recipients', recipients, ['any', 'one']);
  for (const [flag, value] of Object.entries({ disableFileAccess, disableUrlAccess })) {
    if (value !== undefined) checkBoolean(flag, value);
  }
  return {
    apiKey,
    url: checkUrl(options.url ?? url),
    answerWithinMs,
    fetch: fetch ?? ((...request) => globalThis.fetch(...request)),
    access: { disableFileAccess, disableUrlAccess },
    recipients,
  };
}

/**
 * @internal Checks a text for a header of the request. Otherwise fetch would show it in its error.
 */
export function checkHeaderText(option: string, value: unknown, what: string): void {
  if (typeof value === 'string' && /^[!-~]+$/.test(value)) return;
  const got =
    typeof value === 'string' && value.trim() !== ''
      ? 'a string with spaces, line breaks or characters outside of ASCII'
      : typeof value === 'string'
        ? 'an empty string'
        : describe(value);
  throw new OptionError(option, `Expected "${option}" to be ${what}, got ${got}.`);
}

/** @internal Checks the window: a provider that forgets a key too early sends a second email. */
export function checkWindow(
  options: KeyedProviderOptions,
  longestMs: number,
  defaultMs: number = longestMs,
): number {
  const windowMs = options.windowMs ?? defaultMs;
  if (checkDuration('windowMs', windowMs) <= longestMs) return windowMs;
  throw new OptionError(
    'windowMs',
    `Expected "windowMs" to be at most ${longestMs}, the time for which the provider recognises a key, got ${windowMs}.`,
  );
}

function checkUrl(url: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const http = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  if (parsed && http && !parsed.username && !parsed.password && !parsed.hash) return parsed.href;
  throw new OptionError(
    'url',
    `Expected "url" to be an http(s) URL without credentials or fragment, got ${parsed ? 'another URL' : describe(url)}.`,
  );
}
