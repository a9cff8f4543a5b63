import { createHmac, timingSafeEqual } from 'node:crypto';

/** The token of the form for one viewer and one email. A page of another site cannot know it. */
export function formToken(secret: string, viewer: string, key: string): string {
  // JSON keeps the two apart: no other pair of name and key gives the same text.
  return createHmac('sha256', secret)
    .update(JSON.stringify([viewer, key]))
    .digest('base64url');
}

export function isFormToken(
  secret: string,
  [viewer, key, token]: readonly [viewer: string, key: string, token: string],
): boolean {
  const [expected, actual] = [Buffer.from(formToken(secret, viewer, key)), Buffer.from(token)];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * Whether a page of the same origin sent the form. Browsers say so in `Sec-Fetch-Site` if the
 * connection is https or local. Otherwise `Origin` is compared, by its host only: behind a proxy
 * that ends TLS, the scheme here differs.
 */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = request.headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === readHost(request);
}

/** The host that the client asked for, as a URL writes it. Empty if the header is not a host. */
export function readHost(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const header = request.headers.get('host');
  if (header === null) return host;
  // Only a name and a port: a URL would take more of the text for a user or a path.
  if (!/^[\w.:[\]-]+$/.test(header) || !URL.canParse(`${protocol}//${header}`)) return '';
  return new URL(`${protocol}//${header}`).host;
}
