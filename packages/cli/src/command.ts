import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Backend } from './backend.ts';
import { isKey } from '@sendonce/core/ledger';
import { suggest } from '@sendonce/core/ledger';
import { type Terminal, UsageError } from './terminal.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** The parsed command line of one command. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly json: boolean;
  readonly help: boolean;
}

export interface Command {
  readonly name: string;
  /** `show <email>`, as the help shows it. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** More text of the command's own help. */
  readonly details?: string;
  /** The options of this command only. */
  readonly options?: Options;
  /** @returns the exit code */
  run(
    commandLine: CommandLine,
    terminal: Terminal,
    openBackend: () => Promise<Backend>,
  ): Promise<number>;
}

/** The options of all commands that say where the emails are. */
export const locationOptions = {
  redis: { type: 'string' },
  redlock: { type: 'string' },
  postgres: { type: 'string' },
  prefix: { type: 'string' },
  schema: { type: 'string' },
  journal: { type: 'string' },
  queue: { type: 'string' },
  'queue-prefix': { type: 'string' },
  config: { type: 'string' },
} as const satisfies Options;

const commonOptions = {
  ...locationOptions,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Options;

/** @throws {UsageError} that names an unknown option and the nearest known one */
export function parseCommandLine(command: Command, argv: readonly string[]): CommandLine {
  const options: Options = { ...commonOptions, ...command.options };
  let parsed: { values: CommandLine['values']; positionals: string[] };
  try {
    parsed = parseArgs({ args: withKeysLast(argv), options, allowPositionals: true });
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw new UsageError(`${sentence}.${nearestOption((error as Error).message, options)}`);
  }
  const { values, positionals } = parsed;
  return {
    values,
    words: positionals,
    json: values['json'] === true,
    help: values['help'] === true,
  };
}

/**
 * One key in 64 begins with a dash and would be read as an option. After `--` it is a word.
 * An option of 21 characters would look the same: `--why` takes its value as `--why=…` then.
 */
function withKeysLast(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const words = end === -1 ? [] : argv.slice(end + 1);
  const isDashedKey = (word: string) => word.startsWith('-') && isKey(word);
  const keys = options.filter(isDashedKey);
  return [...options.filter((word) => !isDashedKey(word)), '--', ...keys, ...words];
}

function nearestOption(message: string, options: Options): string {
  const unknown = /'--?([\w-]+)'/.exec(message)?.[1];
  const nearest = unknown === undefined ? undefined : suggest(unknown, Object.keys(options));
  return nearest === undefined ? '' : ` Did you mean --${nearest}?`;
}

/** The value of a text option. Undefined if it was not given. */
export function textOption({ values }: CommandLine, option: string): string | undefined {
  const value = values[option];
  return typeof value === 'string' ? value : undefined;
}
