import { DAY_MS } from '@sendonce/core/ledger';
import type { Email } from './email.ts';
import { type Outcome, identifier, type OutcomeState } from './outcome.ts';
import type { HttpAnswer, NoAnswer } from './post-once.ts';
import type { ProviderAnswers } from './provider.ts';

/** Statuses that mean "not sent" for a reason outside the email: API key, quota, URL, rate. */
const refusingStatuses = new Set([401, 402, 403, 404, 405, 421, 425, 426, 429]);

/** @internal The outcome of an answer. `keyed` says whether the request had an idempotency key. */
export function readAnswer(
  provider: ProviderAnswers,
  answer: HttpAnswer | NoAnswer,
  { email, keyed }: { readonly email?: Email | undefined; readonly keyed: boolean },
): Outcome {
  if (!('status' in answer)) {
    return { state: answer.left ? 'unknown' : 'not-sent', code: answer.code };
  }
  const { status } = answer;
  if (status >= 200 && status <= 299) return readSuccess(provider, answer, email);
  const code = identifier(provider.providerCode(answer));
  const retryAfterMs = readRetryAfterMs(answer);
  return {
    state:
      (keyed ? provider.keyAnswer?.(status, code, answer) : undefined) ??
      provider.refusal?.(status, code) ??
      byStatus(answer, retryAfterMs),
    status,
    code,
    retryAfterMs,
  };
}

function readSuccess(
  provider: ProviderAnswers,
  answer: HttpAnswer,
  email: Email | undefined,
): Outcome {
  const { status } = answer;
  const accepted = provider.accepted(answer, email);
  // The page of a proxy, or an incomplete answer.
  if (accepted === undefined) return { state: 'unknown', status, code: 'unreadable' };
  if ('state' in accepted) return { ...accepted, status };
  const replayed = provider.replayed?.(answer) ?? false;
  return { state: replayed ? 'sent-already' : 'sent', status, ...accepted };
}

function byStatus({ status, json }: HttpAnswer, retryAfterMs: number | undefined): OutcomeState {
  if (refusingStatuses.has(status)) return 'refused';
  // A gateway also answers 503 if it lost a server that had the request. Only with a Retry-After is
  // it a refusal.
  if (status === 503 && retryAfterMs !== undefined) return 'refused';
  // The request timed out at a gateway, or the state of its key is not documented.
  if (status === 408 || status === 409) return 'unknown';
  return status >= 400 && status <= 499 && isObject(json) ? 'rejected' : 'unknown';
}

const longestRetryAfterMs = 31 * DAY_MS;

/**
 * Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Undefined if it cannot be
 * read or is longer than a month, which no provider means.
 */
function readRetryAfterMs({ headers }: HttpAnswer): number | undefined {
  const given = headers.get('retry-after')?.trim() ?? '';
  // `Date.parse` alone reads "-1" as a year.
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

/** @internal The id of an accepted email, if the value can be an id. */
export function readMessageId(value: unknown): { readonly messageId: string } | undefined {
  if (typeof value !== 'string' || !/^[!-~]{1,255}$/.test(value)) return undefined;
  return { messageId: value };
}
