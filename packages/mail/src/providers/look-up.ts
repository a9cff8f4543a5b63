import type { LedgerRecord, Resolver, ResolverVerdict } from '@sendonce/core';
import type { OptionNames } from '@sendonce/core/ledger';
import { boundedFetch } from './bounded-fetch.ts';
import type { HttpAnswer } from './post-once.ts';
import {
  checkProviderOptions,
  type ProviderOptions,
  type ProviderSettings,
} from './provider-options.ts';

/** The options that all look-ups have. */
export interface LookUpOptions extends Pick<ProviderOptions, 'apiKey' | 'fetch'> {
  /** Where to ask. @default the provider's documented address */
  readonly url?: string | undefined;
  /**
   * How long to wait for the whole answer, in milliseconds; after it nothing is known.
   * @default 10_000
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
 * @internal One GET, without redirects. `json` is undefined where the body is none.
 * @throws where none came whole, or one of more than 1 MB.
 */
export type Get = (url: string, headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;

/** @internal @throws {OptionError} which never shows the API key. */
export function checkLookUpOptions(options: LookUpOptions, url: string): ProviderSettings {
  const { answerWithinMs = 10_000 } = options;
  return checkProviderOptions({ ...options, answerWithinMs }, url);
}

/**
 * @internal A resolver that asks a provider. It never throws, so that nothing of the request can
 * get into a log: what fails, or cannot be read, is `unknown`.
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
    // A proxy's page: the status alone speaks.
    return undefined;
  }
}
