import { readText } from '../bounded-fetch.ts';
import type { Outcome } from '../outcome.ts';
import type { HttpAnswer } from '../post-once.ts';
import type { ProviderAnswers } from '../provider.ts';
import { field, isObject, readAnswer, readMessageId } from '../read-answer.ts';
import { readNoAnswer, type SdkAdapter } from './sdk-adapter.ts';

const answers: ProviderAnswers = {
  name: 'HTTP',
  accepted: readAccepted,
  providerCode: ({ json }) => field(json, 'code') ?? field(json, 'name'),
};

/**
 * Reads the `Response` of a plain `fetch()`, for {@link sendWith}: the way for a provider without
 * an adapter. `sendWith()` resolves with the `Response`, whose body is still unread.
 *
 * A 2xx means sent if its body is complete, is empty or JSON, and says nothing of an error. 401,
 * 402, 403, 404 and 429 mean refused, another 4xx with JSON means rejected, and everything else is
 * a doubt. If the provider's API differs, write an {@link SdkAdapter}.
 *
 * Set a timeout (`signal`), and do not follow redirects, which send the email to another host.
 *
 * @example
 * await sendWith(fetchCall, ({ idempotencyKey }) =>
 *   fetch('https://api.example.com/emails', {
 *     method: 'POST',
 *     headers: { authorization, 'idempotency-key': idempotencyKey },
 *     body: JSON.stringify(email),
 *     redirect: 'error',
 *     signal: AbortSignal.timeout(60_000),
 *   }),
 * );
 */
export const fetchCall: SdkAdapter = {
  name: answers.name,
  async readResult(result) {
    // Not instanceof: other packages have a Response as well.
    const { status, headers, redirected } = (result ?? {}) as Partial<Response>;
    // It answers the request for another page, which tells nothing about the email.
    if (redirected === true) return { state: 'unknown', code: 'redirected' };
    if (typeof status !== 'number' || typeof headers?.get !== 'function') {
      return { state: 'unknown', code: 'no-response' };
    }
    const json = await readJson(result as Response);
    return readAnswer(answers, { status, headers, json }, { keyed: false });
  },
  readError: readNoAnswer,
};

/** The body of a copy, so that the caller's is still unread. Null if it is empty. */
async function readJson(response: Response): Promise<unknown> {
  try {
    const text = await readText(response.clone().body, new AbortController().signal);
    return text === '' ? null : JSON.parse(text);
  } catch {
    // It is incomplete, too large, not JSON, or was read before.
    return undefined;
  }
}

function readAccepted({ json }: HttpAnswer): { readonly messageId: string } | Outcome | undefined {
  if (json === undefined || saysFailed(json)) return undefined;
  if (isObject(json)) return readMessageId(json['id'] ?? json['messageId']) ?? { state: 'sent' };
  return { state: 'sent' };
}

/**
 * Whether an answer speaks of a failure. Some providers answer 200 for an email that they do not
 * send: Mandrill (`[{ status: 'rejected' }]`), SMTP2GO (`{ data: { failed: 1 } }`), Mailjet
 * (`{ Messages: [{ Status: 'error' }] }`).
 */
function saysFailed(json: unknown, depth = 0): boolean {
  if (typeof json !== 'object' || json === null || depth > 4) return false;
  if (Array.isArray(json)) return json.some((one) => saysFailed(one, depth + 1));
  return Object.entries(json).some(([name, value]: [string, unknown]) => {
    if (/^(ok|success)$/i.test(name) && value === false) return true;
    if (/^(errors?|failed|failures|rejected)$/i.test(name) && isSomething(value)) return true;
    if (/^(status|state)$/i.test(name) && /error|fail|reject|invalid|bounce/i.test(String(value)))
      return true;
    return saysFailed(value, depth + 1);
  });
}

function isSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
