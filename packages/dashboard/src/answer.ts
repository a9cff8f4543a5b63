import type { Html } from './html.ts';

/** What every answer carries, whatever it is. */
const always: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

type Headers = Readonly<Record<string, string>>;

export function answer(
  status: number,
  body: string | ReadableStream<Uint8Array> | null,
  headers: Headers = {},
): Response {
  return new Response(body, { status, headers: { ...always, ...headers } });
}

export function page(status: number, { markup }: Html, headers: Headers = {}): Response {
  return answer(status, `<!doctype html>\n${markup}\n`, {
    'content-type': 'text/html; charset=utf-8',
    ...headers,
  });
}

/** To a page of ours: the way is a path, so that it leads to no other site. */
export function redirect(path: string): Response {
  return answer(303, null, { location: path });
}
