import { UsageError } from './arguments.ts';

/**
 * Checks the URL of a server. No error shows it: a password with a "/" that is not encoded is a
 * part of the path.
 */
export function serverUrl(name: string, url: string, scheme: 'redis' | 'smtp'): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isRight =
    parsed !== undefined &&
    [`${scheme}:`, `${scheme}s:`].includes(parsed.protocol) &&
    !(parsed.pathname + parsed.search + parsed.hash).includes('@');
  if (isRight) return url;
  throw new UsageError(
    `${name} must be a URL such as ${scheme}://127.0.0.1. In a password, write @ as %40 and / as %2F.`,
  );
}
