import type { LedgerRecord, Resolver } from '@sendonce/core';
import type { Answer } from './post-once.ts';
import { checkProviderOptions, type ProviderOptions, type Settings } from './provider-options.ts';

/** The options that all look-ups have. */
export interface LookUpOptions extends Pick<ProviderOptions, 'apiKey' | 'fetch'> {
  /** Where is asked. @default the provider's documented address */
  readonly url?: string;
  /** How long to wait for the whole answer, in milliseconds; after it nothing is known. @default 10_000 */
  readonly timeoutMs?: number;
}

/** @internal */
export type Found = Awaited<ReturnType<Resolver>>;

/** @internal One GET, without redirects. `json` is undefined where the body is none. @throws where none came whole. */
export type Get = (url: string, headers: Readonly<Record<string, string>>) => Promise<Answer>;

/** @internal @throws {OptionError} which never shows the API key. */
export function checkLookUpOptions(options: LookUpOptions, url: string): Settings {
  const { timeoutMs = 10_000 } = options;
  return checkProviderOptions({ ...options, timeoutMs }, url);
}

/**
 * @internal A resolver that asks a provider. It never throws, so that nothing of the request can get into
 * a log: what fails, or cannot be read, is `unknown`.
 */
export function lookUp(
  { fetch, timeoutMs }: Pick<Settings, 'fetch' | 'timeoutMs'>,
  ask: (record: LedgerRecord, get: Get) => Promise<Found>,
): Resolver {
  const get: Get = async (url, headers) => {
    const response = await fetch(url, {
      method: 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { ...headers, accept: 'application/json', connection: 'close' },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: parsed(text) };
  };
  return async ({ record }) => {
    try {
      return await ask(record, get);
    } catch {
      return 'unknown';
    }
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page: the status alone speaks.
    return undefined;
  }
}
