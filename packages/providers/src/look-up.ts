import type { LedgerRecord, Resolver, ResolverVerdict } from '@sendonce/core';
import type { OptionNames } from '@sendonce/core/ledger';
import { boundedFetch } from './bounded-fetch.ts';
import type { HttpAnswer } from './post-once.ts';
import {
  checkProviderOptions,
  type ProviderOptions,
  type ProviderSettings,
} from './provider-options.ts';

/** The options of a look-up, such as `brevoLookUp()`. */
export interface LookUpOptions extends Pick<ProviderOptions, 'apiKey' | 'fetch'> {
  /** The URL of the provider's API. @default the provider's documented URL */
  readonly url?: string | undefined;
  /**
   * How long to wait for the complete answer, in milliseconds. After that the verdict is `unknown`.
   * @default 10_000 (10 seconds)
   */
  readonly answerWithinMs?: number | undefined;
}

/** @internal */
export const LOOK_UP_OPTION_NAMES: OptionNames<LookUpOptions> = {
  apiKey: true,
  url: true,
  answerWithinMs: true,
  fetch: true,
};

/**
 * @internal Makes one GET, without redirects. `json` is undefined if the body is not JSON.
 * @throws if the answer is incomplete, late, or larger than 1 MB.
 */
export type Get = (url: string, headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;

/** @internal @throws {OptionError} for a wrong option. The message never shows the API key. */
export function checkLookUpOptions(options: LookUpOptions, url: string): ProviderSettings {
  const { answerWithinMs = 10_000 } = options;
  return checkProviderOptions({ ...options, answerWithinMs }, url);
}

/**
 * @internal Returns a resolver that asks a provider. If the request fails or the answer cannot be
 * read, the verdict is `unknown`. It never throws, so that nothing of the request can get into a
 * log.
 */
export function lookUp(
  { fetch, answerWithinMs }: Pick<ProviderSettings, 'fetch' | 'answerWithinMs'>,
  ask: (record: LedgerRecord, get: Get) => Promise<ResolverVerdict>,
): Resolver {
  const get: Get = async (url, own) => {
    const { status, headers, readText } = await boundedFetch(fetch, url, {
      method: 'GET',
      answerWithinMs,
      headers: { ...own, accept: 'application/json', connection: 'close' },
    });
    return { status, headers, json: parseJson(await readText()) };
  };
  return async ({ record }) => {
    try {
      return await ask(record, get);
    } catch {
      return 'unknown';
    }
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The page of a proxy, for example. Only the status is used.
    return undefined;
  }
}
