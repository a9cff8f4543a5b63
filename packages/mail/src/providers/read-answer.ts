import { DAY_MS } from '@sendonce/core/ledger';
import { type Outcome, identifier, type OutcomeState } from './outcome.ts';
import type { HttpAnswer, NoAnswer } from './post-once.ts';
import type { Provider } from './provider.ts';

/**
 * Nothing was sent, and the email itself is not at fault: key, quota, "url", too early, the wrong
 * server.
 */
const refusingStatuses = new Set([401, 402, 403, 404, 405, 421, 425, 426, 429]);

/** @internal The one reading of an answer. `keyed`: whether the request had an idempotency key. */
export function readAnswer(
  provider: Provider,
  answer: HttpAnswer | NoAnswer,
  keyed: boolean,
): Outcome {
  if (!('status' in answer)) {
    return { state: answer.left ? 'unknown' : 'not-sent', code: answer.code };
  }
  const { status } = answer;
  if (status >= 200 && status <= 299) return readSuccess(provider, answer);
  const code = identifier(provider.providerCode(answer));
  const retryAfterMs = readRetryAfterMs(answer);
  return {
    state:
      (keyed ? provider.keyAnswer?.(status, code) : undefined) ??
      provider.refusal?.(status, code) ??
      byStatus(answer, retryAfterMs),
    status,
    code,
    retryAfterMs,
  };
}

function readSuccess(provider: Provider, answer: HttpAnswer): Outcome {
  const { status } = answer;
  const accepted = provider.accepted(answer);
  // A proxy's page, or half an answer.
  if (accepted === undefined) return { state: 'unknown', status, code: 'unreadable' };
  if ('state' in accepted) return { ...accepted, status };
  const replayed = provider.replayed?.(answer) ?? false;
  return { state: replayed ? 'sent-already' : 'sent', status, ...accepted };
}

function byStatus({ status, json }: HttpAnswer, retryAfterMs: number | undefined): OutcomeState {
  if (refusingStatuses.has(status)) return 'refused';
  // A gateway says 503 also when it has lost a server that had the request. With a time it is
  // meant.
  if (status === 503 && retryAfterMs !== undefined) return 'refused';
  // A request that timed out at a gateway, and a key in a state that is not documented.
  if (status === 408 || status === 409) return 'unknown';
  return status >= 400 && status <= 499 && isObject(json) ? 'rejected' : 'unknown';
}

const longestRetryAfterMs = 31 * DAY_MS;

/**
 * `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Undefined for one that cannot be
 * read, or is longer than a month: no provider means that.
 */
function readRetryAfterMs({ headers }: HttpAnswer): number | undefined {
  const given = headers.get('retry-after')?.trim() ?? '';
  // `Date.parse` alone takes "-1" for a year.
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(given);
  if (!isDate && !/^\d{1,9}$/.test(given)) return undefined;
  const ms = isDate ? Date.parse(given) - Date.now() : Number(given) * 1000;
  return ms <= longestRetryAfterMs ? Math.max(0, Math.round(ms)) : undefined;
}

/** @internal */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @internal A field of an answer that should be a JSON object. */
export function field(json: unknown, name: string): unknown {
  return isObject(json) ? json[name] : undefined;
}

/** @internal The id of an accepted email, if it can be one. */
export function readMessageId(value: unknown): { readonly messageId: string } | undefined {
  if (typeof value !== 'string' || !/^[!-~]{1,255}$/.test(value)) return undefined;
  return { messageId: value };
}
