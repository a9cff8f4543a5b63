import type { Html } from './html.ts';

/** The headers of every response. */
const commonHeaders: Readonly<Record<string, string>> = {
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

export function respondWith(
  status: number,
  body: string | ReadableStream<Uint8Array> | null,
  headers: Headers = {},
): Response {
  return new Response(body, { status, headers: { ...commonHeaders, ...headers } });
}

export function pageResponse(status: number, { markup }: Html, headers: Headers = {}): Response {
  return respondWith(status, `<!doctype html>\n${markup}\n`, {
    'content-type': 'text/html; charset=utf-8',
    ...headers,
  });
}

/**
 * Redirects to a page of the dashboard. The location is a path, so it never leads to another site.
 */
export function redirectTo(path: string): Response {
  return respondWith(303, null, { location: path });
}

export function assetResponse(text: string, type: string): Response {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'private, max-age=86400',
  };
  return respondWith(200, text, headers);
}

export function streamResponse(body: ReadableStream<Uint8Array> | null): Response {
  return respondWith(200, body, {
    'content-type': 'text/event-stream; charset=utf-8',
    // A proxy that compresses or buffers the stream would hold back its events.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
}
