import { SendonceError } from '@sendonce/core';
import type colors from 'picocolors';

/** Where a command writes, and what it reads: the second argument of {@link runCli}. */
export interface Terminal {
  /** Writes lines to stdout. */
  out(text: string): void;
  /** Writes lines for people to stderr, so that stdout has only what a script reads. */
  err(text: string): void;
  /** The colours of picocolors, on or off. */
  readonly paint: ReturnType<typeof colors.createColors>;
  /** The width of the terminal. Undefined for a pipe or a file: then 80, or COLUMNS of `env`. */
  readonly columns: number | undefined;
  /** The environment: SENDONCE_REDIS and so on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks the user. Undefined if there is no user to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Reads all of stdin. */
  readInput(): Promise<string>;
  /** Aborts when the user stops the command (Ctrl-C). */
  readonly stopped: AbortSignal;
  /** Where configuration files are looked for. */
  readonly folder: string;
}

/** Exit codes of all commands. */
export const exitCodes = {
  /** Success. */
  ok: 0,
  /** A negative result: not found, emails in doubt, resolved before, a problem found. */
  no: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** A server could not answer, a record cannot be read, or an error was not expected. */
  unavailable: 3,
  /** Nothing at all is known where the command has looked: is it the right place? */
  nothingKnown: 4,
} as const;

/** The command line is wrong. The message says what is expected. */
export class UsageError extends SendonceError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('SENDONCE_USAGE', 'no', hidePasswords(message));
  }
}

/** The names of what is secret, where `=` or `:` follows. */
const SECRET_NAMES =
  'pass(?:word|wd|phrase)?|pwd|secret|token|auth(?:orization)?|credentials?|(?:api|access|private|account)[_-]?key';

const namedSecrets = new RegExp(
  String.raw`((?:${SECRET_NAMES})["']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?("[^"\n]*"?|'[^'\n]*'?|[^\s&,;"']+)`,
  'gi',
);

/**
 * Hides the secrets in a text: user and password of each URL, the value of `password=…` and the
 * like, and what follows `Bearer`. People give URLs where something else is expected, servers
 * repeat what they were given, and a configuration module throws errors of any text. Of a URL,
 * everything up to the last "@" of the line is hidden: a password may have a space.
 */
export function hidePasswords(text: string): string {
  return text
    .replaceAll(/([\w+.-]{2}:\/{1,2})[^\n]{0,2000}@/g, '$1…@')
    .replaceAll(/(\/\/)[^\s/:@]*:[^\n]{0,2000}@/g, '$1…@')
    .replaceAll(namedSecrets, '$1…')
    .replaceAll(/\b(bearer\s+)[^\s,;"']+/gi, '$1…');
}

/** Characters that a terminal obeys or hides: controls, bidirectional and invisible ones. */
export const UNSAFE_CHARACTERS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Replaces the unsafe characters of a text that others wrote. */
export function stripControls(text: string): string {
  return text.replaceAll(UNSAFE_CHARACTERS, '\uFFFD');
}

/** The same for a text of several lines. */
export function stripLines(text: string): string {
  return text.split('\n').map(stripControls).join('\n');
}
