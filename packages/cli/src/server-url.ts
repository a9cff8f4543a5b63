import { Client } from 'pg';
import { UsageError } from './terminal.ts';

/** The name of a Redis server and its database, for people. Never with a password. */
export interface RedisAddress {
  /** `127.0.0.1:6379` */
  readonly host: string;
  readonly database: string;
}

/** On a new line: hidePasswords() hides from the example to an "@" of the same line. */
const ENCODE =
  '\nIn a user name and a password, write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25.';

/**
 * Reads the URL of a Redis. No error shows a part of the URL: if a password has a "/" that is not
 * encoded, the password is in the path.
 *
 * @param name the option or variable that the URL comes from
 * @throws {UsageError}
 */
export function readRedisUrl(url: string, name: string): RedisAddress {
  const parsed = readUrl(url, ['redis:', 'rediss:']);
  const database = parsed && /^\/?(\d*)$/.exec(parsed.pathname)?.[1];
  if (!parsed || database === undefined) {
    throw new UsageError(
      `Expected ${name} to be the URL of a Redis, such as redis://127.0.0.1:6379/0.${ENCODE}`,
    );
  }
  return {
    host: `${parsed.hostname || 'localhost'}:${parsed.port || '6379'}`,
    database: parsed.searchParams.get('db') ?? (database || '0'),
  };
}

/** Names the server and the database of a PostgreSQL URL, for people. @throws {UsageError} */
export function readPostgresUrl(url: string, name: string): string {
  try {
    // A path is the folder of a socket.
    const isRead = /^(socket:)?\//.test(url) || readUrl(url, ['postgres:', 'postgresql:']);
    if (isRead) {
      const { host, port, database } = new Client({ connectionString: url });
      return `${host}:${port}, database ${database}`;
    }
  } catch {
    // Its message may show the URL.
  }
  throw new UsageError(
    `Expected ${name} to be the URL of a PostgreSQL, such as postgres://127.0.0.1:5432/shop.${ENCODE}`,
  );
}

/** Undefined if the URL cannot be read, or if a part of a password may be after the host. */
function readUrl(url: string, protocols: readonly string[]): URL | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const afterHost = parsed.pathname + parsed.search + parsed.hash;
  return protocols.includes(parsed.protocol) && !afterHost.includes('@') ? parsed : undefined;
}
