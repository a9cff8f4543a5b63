import { OptionError } from '@sendonce/core';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkTimer,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import type { ContentAccess } from './content-sources.ts';
import type { Fetch } from './post-once.ts';

/** The options that all provider transports have. */
export interface ProviderOptions {
  /** The provider's API key. It is never shown in an error. */
  readonly apiKey: string;
  /**
   * Where emails are posted to: a test server, a proxy, another region.
   * @default the provider's documented address
   */
  readonly url?: string | undefined;
  /**
   * How long to wait for the whole answer, in milliseconds. An answer that comes later is a doubt:
   * be generous.
   * @default 60_000
   */
  readonly answerWithinMs?: number | undefined;
  /**
   * Makes the one request. It must not retry or follow redirects.
   * @default the `fetch` of Node
   */
  readonly fetch?: Fetch | undefined;
  /**
   * If true, an email whose content would be read from a file is refused, as with nodemailer's
   * option for SMTP. The defaults of the transporter and the email itself can have it, too; none
   * of them can switch off what another one switched on.
   * @default false
   */
  readonly disableFileAccess?: boolean | undefined;
  /**
   * The same for content that would be read from a URL.
   * @default false
   */
  readonly disableUrlAccess?: boolean | undefined;
}

/** The options of a provider that takes an idempotency key. */
export interface KeyedProviderOptions extends ProviderOptions {
  /**
   * How long the provider remembers a key, in milliseconds. Never more than it promises: after it
   * the same request is a second email.
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
}

/** @internal @throws {OptionError} which never shows the API key. */
export function checkProviderOptions(options: ProviderOptions, url: string): ProviderSettings {
  const { apiKey, answerWithinMs = 60_000, fetch, disableFileAccess, disableUrlAccess } = options;
  checkHeaderText('apiKey', apiKey, 'the API key of the provider');
  checkTimer('answerWithinMs', answerWithinMs);
  checkFunction('fetch', fetch, true);
  for (const [flag, value] of Object.entries({ disableFileAccess, disableUrlAccess })) {
    if (value !== undefined) checkBoolean(flag, value);
  }
  return {
    apiKey,
    url: checkUrl(options.url ?? url),
    answerWithinMs,
    fetch: fetch ?? ((...request) => globalThis.fetch(...request)),
    access: { disableFileAccess, disableUrlAccess },
  };
}

/**
 * @internal A text that goes into a header of the request: fetch would show it in its own error.
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

/** @internal A key that is forgotten earlier than believed would be a second email. */
export function checkWindow(
  options: KeyedProviderOptions,
  longestMs: number,
  defaultMs: number = longestMs,
): number {
  const windowMs = options.windowMs ?? defaultMs;
  if (checkDuration('windowMs', windowMs) <= longestMs) return windowMs;
  throw new OptionError(
    'windowMs',
    `Expected "windowMs" to be at most ${longestMs}, how long the provider says that it remembers a key, got ${windowMs}.`,
  );
}

function checkUrl(url: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  const http = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  if (parsed && http && !parsed.username && !parsed.password && !parsed.hash) return parsed.href;
  throw new OptionError(
    'url',
    `Expected "url" to be an http(s) URL without credentials or fragment, got ${parsed ? 'another one' : describe(url)}.`,
  );
}
