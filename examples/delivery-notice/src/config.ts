import { fileURLToPath } from 'node:url';
import { StartError } from './errors.ts';

/** The environment variables of API and worker, which must be the same for both. */
export interface Config {
  readonly redisUrl: string;
  readonly smtpUrl: string;
  /** The prefix of all keys in Redis. */
  readonly namespace: string;
  readonly host: string;
  /** 0 is a free port. */
  readonly port: number;
  /** How long before the parcel arrives its notice leaves. */
  readonly noticeBeforeMs: number;
  /** How long a worker may be silent before another one takes its job and its claim. */
  readonly leaseMs: number;
  /** Decides which day "tomorrow" is. */
  readonly timeZone: string;
  readonly from: string;
  readonly templates: string;
}

/** An outcome is remembered for longer than any copy of an order may come back. */
export const RETENTION_MS = 90 * 24 * 60 * 60 * 1000;

const DAY_MS = 24 * 60 * 60 * 1000;

/** @throws {StartError} that names the variable. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const text = (name: string, fallback: string) => env[name] || fallback;
  return {
    redisUrl: serverUrl('REDIS_URL', text('REDIS_URL', 'redis://127.0.0.1:6379'), 'redis'),
    smtpUrl: serverUrl('SMTP_URL', text('SMTP_URL', 'smtp://127.0.0.1:1025'), 'smtp'),
    namespace: text('NAMESPACE', 'delivery-notice'),
    host: text('HOST', '127.0.0.1'),
    port: whole('PORT', text('PORT', '3000')),
    noticeBeforeMs: whole('NOTICE_BEFORE_MS', text('NOTICE_BEFORE_MS', String(DAY_MS))),
    leaseMs: whole('LEASE_MS', text('LEASE_MS', '30000')),
    timeZone: knownTimeZone(text('TIME_ZONE', 'Europe/Berlin')),
    from: text('MAIL_FROM', 'Your shop <shop@example.org>'),
    templates: text('TEMPLATES', fileURLToPath(new URL('../templates', import.meta.url))),
  };
}

function whole(name: string, value: string): number {
  if (/^\d{1,12}$/.test(value)) return Number(value);
  throw new StartError(`${name} must be a whole number, got "${value}".`);
}

function knownTimeZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    throw new StartError(`TIME_ZONE must be a time zone such as Europe/Berlin, got "${timeZone}".`);
  }
}

/**
 * Checks the URL of a server. No error shows it: a password with a "/" that is not encoded is a
 * part of the path.
 */
function serverUrl(name: string, url: string, scheme: 'redis' | 'smtp'): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isRight =
    parsed !== undefined &&
    [`${scheme}:`, `${scheme}s:`].includes(parsed.protocol) &&
    !(parsed.pathname + parsed.search + parsed.hash).includes('@');
  if (isRight) return url;
  throw new StartError(
    `${name} must be a URL such as ${scheme}://127.0.0.1. In a password, write @ as %40 and / as %2F.`,
  );
}
