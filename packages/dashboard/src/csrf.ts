import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a form for this viewer and this email carries; a page of another site cannot know it. */
export function formToken(secret: string, viewer: string, key: string): string {
  // As JSON, so that no name and key read together are those of another pair.
  return createHmac('sha256', secret)
    .update(JSON.stringify([viewer, key]))
    .digest('base64url');
}

export function isFormToken(
  secret: string,
  [viewer, key, given]: readonly [string, string, string],
): boolean {
  const [wanted, found] = [Buffer.from(formToken(secret, viewer, key)), Buffer.from(given)];
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/**
 * Whether a page of this very origin sent the form. Browsers say so in `Sec-Fetch-Site`, where the connection is
 * https or local; else by `Origin`, of which the host is compared: behind a proxy that ends TLS, the scheme here is another one.
 */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = request.headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === hostOf(request);
}

/** The host that the client asked for, as the URL writes it. */
export function hostOf(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const given = request.headers.get('host');
  if (given === null) return host;
  // A name and a port, and nothing that a URL would take for more.
  if (!/^[\w.:[\]-]+$/.test(given) || !URL.canParse(`${protocol}//${given}`)) return '';
  return new URL(`${protocol}//${given}`).host;
}
