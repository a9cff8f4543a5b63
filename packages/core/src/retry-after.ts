import { DAY_MS } from './durations.ts';

/**
 * A time to wait, as programs without types give it. Undefined if it is no number of milliseconds
 * from 0. More than a day is a day: then the provider is asked again.
 */
export function normaliseRetryAfter(ms: unknown): number | undefined {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) return undefined;
  return Math.min(Math.ceil(ms), DAY_MS);
}

/** The `retryAfterMs` of an error, such as a `ProviderError`, or of the nearest of its causes. */
export function findRetryAfter(error: unknown): number | undefined {
  const seen = new Set<unknown>();
  try {
    for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
      seen.add(cause);
      const { retryAfterMs } = cause as { readonly retryAfterMs?: unknown };
      if (retryAfterMs !== undefined) return normaliseRetryAfter(retryAfterMs);
    }
  } catch {
    // A getter that throws.
  }
  return undefined;
}
