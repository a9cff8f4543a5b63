import { LedgerUnavailableError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';
import type { RedisClient } from './client.ts';

/** What an error of Redis or its client means, and what to do about it. */
interface Cause {
  readonly pattern: RegExp;
  readonly remedy: string;
}

export const MIXED_SLOTS_REMEDY =
  'With "enableAutoPipelining", ioredis 5 puts the scripts of several slots into one pipeline and refuses it. Pass ' +
  'autoPipeliningIgnoredCommands: ["eval", "evalsha"], or leave the option out: sendonce puts the commands of a ' +
  'tick together already.';

// The first word of an error reply is its kind; in a script, Redis 6 and older put it further back.
const causes: readonly Cause[] = [
  {
    pattern: /\b(NOPERM|NOAUTH|WRONGPASS)\b|user executing the script can't run/,
    remedy:
      'Allow the user of this connection the commands and keys that the README of @sendonce/redis lists under ' +
      '"Rights": the scripts use all of them.',
  },
  {
    pattern: /\bWRONGTYPE\b/,
    remedy:
      'A key under the prefix of the ledger was written by something else. Find it (TYPE of {prefix}:{shard}:open is ' +
      'zset, of all others string), and delete it, or give the ledger another prefix.',
  },
  {
    pattern: /\bOOM\b/,
    remedy: 'The memory of the server is full. Raise its maxmemory, or delete what is not needed.',
  },
  {
    pattern: /\bREADONLY\b/,
    remedy: 'This server is a replica. Connect to the master.',
  },
  {
    pattern: /\bMISCONF\b/,
    remedy: 'The server cannot write to its disk. Look at its log.',
  },
  {
    pattern: /\b(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS)\b/,
    remedy: 'The server is not ready. Wait, and repeat.',
  },
  {
    pattern: /\b(MOVED|ASK)\b/,
    remedy: 'The server is a node of a Cluster. Pass new Cluster([…]) instead of new Redis(…).',
  },
  { pattern: /same slots allocation group/, remedy: MIXED_SLOTS_REMEDY },
  {
    pattern: /unknown command/i,
    remedy:
      'The server does not know EVAL, EVALSHA or INFO: they are renamed or forbidden (rename-command). Allow them.',
  },
  {
    pattern: /no answer within/,
    remedy: 'Check that the server runs, accepts writes and can be reached from here.',
  },
];

const CLOSED = 'Close the workers first, and then the client.';
const OTHER = 'Check the connection and that the server accepts writes.';

/** What to do about an error that a command met. */
export function remedyForError(message: string): string {
  return causes.find(({ pattern }) => pattern.test(message))?.remedy ?? OTHER;
}

/** The server refused a command because of what one of its keys holds. Others may be well. */
export function isAboutOneKey(error: unknown): boolean {
  const { cause = error } = error as { readonly cause?: unknown };
  return cause instanceof Error && /\bWRONGTYPE\b/.test(cause.message);
}

/**
 * Says "no answer". The cause keeps no command: its arguments may hold the result of a processor.
 */
export function unavailable(error: unknown, client?: RedisClient): LedgerUnavailableError {
  const cause = bareError(error);
  const { message } = cause;
  const server = client && nameOf(client);
  const where = server === undefined ? 'Redis' : `Redis at ${server}`;
  if (client?.status === 'end') {
    return new LedgerUnavailableError(
      `${where} did not answer: the client of the ledger was closed. Nothing was sent by this command. ${CLOSED}`,
      cause,
      { isClosed: true },
    );
  }
  const what = /^[A-Z]+ /.test(message)
    ? `refused a command (${message}). It is safe to repeat.`
    : `did not answer (${message}). Whether the command was executed is unknown; it is safe to repeat.`;
  return new LedgerUnavailableError(`${where} ${what} ${remedyForError(message)}`, cause);
}

/** `host:port` of a server, if its client has them; never more of a URL. */
export function nameOf({ options }: RedisClient): string | undefined {
  const { host, port } = (options ?? {}) as { host?: unknown; port?: unknown };
  return typeof host === 'string' && host ? `${host}:${String(port)}` : undefined;
}
