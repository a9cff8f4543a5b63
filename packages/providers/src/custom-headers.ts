import { oneLine } from './one-line.ts';
import type { ProviderMail } from './provider-mail.ts';
import type { Provider } from './provider.ts';
import { cannotCarry } from './provider-error.ts';

// These have a field of nodemailer and the API, or the provider writes them.
const reserved =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|content-.*|received|return-path|dkim-signature|.*idempotency-?key)$/i;

const token = /^[!#$%&'*+.^_`|~\w-]+$/;

/** @internal Refuses the headers that a map of names to values cannot hold. */
export function checkHeaders(data: Record<string, unknown>, provider: Provider): void {
  const given = pairs(data['headers']);
  const own = ['inReplyTo', 'references', 'list', 'priority', 'xMailer'].find(
    (field) => data[field],
  );
  if (!provider.supports.headers && (given.length > 0 || own !== undefined)) {
    throw cannotCarry(provider.name, 'it has custom headers');
  }
  for (const [name, value] of given) {
    if (!token.test(name))
      throw cannotCarry(provider.name, 'it has a custom header with an invalid name');
    if (reserved.test(name)) {
      throw cannotCarry(provider.name, `its "headers" have ${name}, which is not a custom header`);
    }
    if (Array.isArray(value) && value.length !== 1) {
      throw cannotCarry(provider.name, `the header ${name} has several values`);
    }
  }
}

/**
 * @internal The custom headers of a normalised message, sorted, so that the bytes are always equal.
 */
export function readHeaders(mail: ProviderMail, provider: Provider): Record<string, string> {
  const data = mail.data as Record<string, unknown>;
  const found: [string, string][] = pairs(data['headers']).map(([name, value]) => [
    name,
    toText(value),
  ]);
  const normalized = (data['normalizedHeaders'] ?? {}) as Record<string, unknown>;
  for (const [name, value] of Object.entries(normalized)) {
    // nodemailer makes these from `list`, `references` and `inReplyTo`.
    const made = name.startsWith('list-') ? data['list'] : data[sourceFields[name] ?? ''];
    if (made) found.push([name, toText(value)]);
  }
  for (const name of ['X-Priority', 'X-MSMail-Priority', 'Importance']) {
    if (data['priority'] && mail.message.getHeader(name)) {
      found.push([name, toText(mail.message.getHeader(name))]);
    }
  }
  if (data['xMailer']) found.push(['X-Mailer', toText(data['xMailer'])]);
  return withoutDoubles(found, provider);
}

const sourceFields: Readonly<Record<string, string>> = {
  references: 'references',
  'in-reply-to': 'inReplyTo',
};

function withoutDoubles(
  found: readonly [string, string][],
  provider: Provider,
): Record<string, string> {
  const byName = new Map<string, [string, string]>();
  for (const pair of found) {
    const name = pair[0].toLowerCase();
    const earlier = byName.get(name);
    if (earlier && earlier[1] !== pair[1]) {
      throw cannotCarry(provider.name, `the header ${pair[0]} has several values`);
    }
    byName.set(name, earlier ?? pair);
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([, pair]) => pair));
}

/** `headers` of nodemailer: an object, or a list of `{ key, value }`. */
function pairs(headers: unknown): [string, unknown][] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (!Array.isArray(headers)) {
    return Object.entries(headers).filter(([, value]) => value !== undefined && value !== null);
  }
  return (headers as ({ key?: string; value?: unknown } | null)[]).map((pair) => [
    pair?.key ?? '',
    pair?.value,
  ]);
}

function toText(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  const prepared = (one as { value?: unknown } | null)?.value;
  return oneLine(prepared ?? one ?? '');
}
