import { isSendonceError } from '@sendonce/core';
import { withoutErrorPage } from '@sendonce/core/ledger';
import { toJson } from './json.ts';
import { exitCodes, hidePasswords, stripLines, type Terminal } from './terminal.ts';
import { wrap } from './wrap.ts';

/** What `--json` prints of an error, as `error` of its object. */
export interface ErrorJson {
  /** Such as `SENDONCE_USAGE`. */
  readonly code: string;
  readonly message: string;
}

export function toErrorJson(error: unknown): ErrorJson {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = isSendonceError(error) ? error.code : name;
  return { code, message: hidePasswords(message) };
}

/**
 * Reports an error to people on stderr, and with `json` as `{ "error": … }` on stdout.
 * @returns the exit code, unless the command line was wrong: that is for the caller to know
 */
export function reportError(error: unknown, terminal: Terminal, json = false): number {
  if (json) terminal.out(toJson({ error: toErrorJson(error) }));
  // The stack of an error of ours would hide what to do.
  const stack = error instanceof Error ? error.stack : undefined;
  const text = isSendonceError(error) ? error.message : (stack ?? String(error));
  // Of a wrong command line, the help is the better page, and runCli() names it.
  const shown = isSendonceError(error, 'SENDONCE_USAGE') ? withoutErrorPage(text) : text;
  terminal.err(wrap(hidePasswords(stripLines(shown)), terminal));
  return exitCodes.unavailable;
}
