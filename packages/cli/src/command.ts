import type { Backend } from './backend.ts';
import type { Terminal } from './terminal.ts';

/** The parsed command line of one command. */
export interface CommandLine {
  /** The arguments of the command. */
  readonly words: readonly string[];
  /**
   * The options by their long names: `queue-prefix`. Without a value, an option is `true`. One that
   * may be repeated is a list.
   */
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly json: boolean;
}

/** An option: its flags, as the help shows them, one line about it, and whether it is a list. */
export type OptionHelp = readonly [flags: string, description: string, repeated?: 'repeated'];

export interface Command {
  readonly name: string;
  /** `<email...>`, with the argument's own help. */
  readonly argument?: { readonly name: string; readonly help: string; readonly choices?: string[] };
  /** The usage after the name, if it is not `[options] <argument>`. */
  readonly usage?: string;
  /** One line. */
  readonly summary: string;
  /** More text at the end of the command's own help. */
  readonly details?: string;
  /** The options of this command only. */
  readonly options?: readonly OptionHelp[];
  /** @returns the exit code */
  run(
    commandLine: CommandLine,
    terminal: Terminal,
    openBackend: () => Promise<Backend>,
  ): Promise<number>;
}

/** The options of all commands that say where the emails are, by their long names. */
export const locationOptions = {
  redis: ['--redis <url>', 'the ledger on one Redis'],
  redlock: ['--redlock <url,url,…>', 'the ledger on three or more Redis servers'],
  postgres: ['--postgres <url>', 'the ledger on PostgreSQL'],
  prefix: ['--prefix <text>', 'the prefix of the Redis keys (default: sendonce)'],
  schema: ['--schema <name>', 'the schema of the PostgreSQL tables (default: sendonce)'],
  journal: ['--journal <url>', 'the Redis of the journal (default: that of --redis)'],
  queue: ['--queue <url>', 'the Redis of the queues, for --retry (default: that of --redis)'],
  'queue-prefix': ['--queue-prefix <text>', "BullMQ's prefix (default: bull)"],
  config: [
    '--config <file>',
    'a file instead: JSON with these names, or a module that exports { ledger, journal?, queues? } (default: sendonce.config.json, .mjs or .js in this folder, if no ledger is given)',
  ],
} as const satisfies Record<string, OptionHelp>;

/** The value of a text option. Undefined if it was not given. */
export function textOption({ values }: CommandLine, option: string): string | undefined {
  const value = values[option];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be repeated. Undefined if it was not given. */
export function listOption({ values }: CommandLine, option: string): readonly string[] | undefined {
  const value = values[option];
  return Array.isArray(value) ? (value as readonly string[]) : undefined;
}
