import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Desk } from './desk.ts';
import { suggest } from './suggest.ts';
import { type Terminal, UsageError } from './terminal.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** What one command was given. */
export interface Given {
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly json: boolean;
}

export interface Command {
  readonly name: string;
  /** `show <email>`, as the help shows it. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** What its own help adds. */
  readonly details?: string;
  /** Its options beside those of all. */
  readonly options?: Options;
  /** @returns the exit code */
  run(given: Given, terminal: Terminal, open: () => Promise<Desk>): Promise<number>;
}

/** Where the emails are remembered: options of all commands. */
export const whereOptions = {
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
  ...whereOptions,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies Options;

/** @throws {UsageError} that names what is allowed, and what may have been meant. */
export function parseGiven(command: Command, argv: readonly string[]): Given & { help: boolean } {
  const options: Options = { ...commonOptions, ...command.options };
  let parsed: { values: Given['values']; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    const unknown = /'--?([\w-]+)'/.exec((error as Error).message)?.[1];
    const meant = unknown === undefined ? undefined : suggest(unknown, Object.keys(options));
    const hint = meant === undefined ? '' : ` Did you mean --${meant}?`;
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.${hint}`);
  }
  const { values, positionals } = parsed;
  return {
    values,
    words: positionals,
    json: values['json'] === true,
    help: values['help'] === true,
  };
}

/** A text option, if it was given. */
export function textOf({ values }: Given, option: string): string | undefined {
  const value = values[option];
  return typeof value === 'string' ? value : undefined;
}
