import type colors from 'picocolors';

/** What the commands write to, and where they ask. */
export interface Terminal {
  /** Writes lines on stdout. */
  out(text: string): void;
  /** Writes a line for people on stderr, so that stdout stays what a script reads. */
  err(text: string): void;
  readonly paint: ReturnType<typeof colors.createColors>;
  /** Undefined where nobody reads it as a picture: a pipe, a file. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** What is given on stdin, as a whole. */
  readInput(): Promise<string>;
  /** Aborts when the user wants to stop (Ctrl-C). */
  readonly stopped: AbortSignal;
  /** Where configuration files are looked for. */
  readonly folder: string;
}

/** Exit codes. A wrong command line and a ledger that cannot answer are no answers. */
export const exit = {
  /** Done, or all is well. */
  ok: 0,
  /** The answer is no: nothing found, doubts stand, somebody was faster, something is wrong. */
  no: 1,
  /** The command line cannot be understood; nothing was done. */
  usage: 2,
  /** The ledger, the journal or the queue could not answer. */
  unavailable: 3,
} as const;

/** A command line that cannot be understood; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a server could not do, for people; the message says what to do next. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** A text of somebody else's (a label, a note) without what a terminal would obey. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}
