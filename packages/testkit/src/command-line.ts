import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A command line that cannot be understood; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The values of the options. @throws {UsageError} that names all options. */
export function parseOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: O,
) {
  return parse(argv, options, false).values;
}

/** The same for a command that takes words, too. @throws {UsageError} that names all options. */
export function parseWordsAndOptions<const O extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: O,
) {
  const { values, positionals } = parse(argv, options, true);
  const words: readonly string[] = positionals;
  return { values, words };
}

function parse<const O extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: O,
  allowPositionals: boolean,
) {
  try {
    // Passed on by some package managers: `pnpm demo -- --json`.
    const args = argv[0] === '--' ? argv.slice(1) : [...argv];
    return parseArgs({ args, options, allowPositionals });
  } catch (error) {
    const allowed = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message}\nAllowed: ${allowed.join(', ')}.`);
  }
}

/**
 * The names that an option was given, several with commas. @throws {UsageError} for an unknown one.
 */
export function pickNames<N extends string>(
  option: string,
  given: readonly string[],
  allowed: readonly N[],
): N[] {
  return given
    .flatMap((value) => value.split(','))
    .map((name) => {
      const found = allowed.find((one) => one === name);
      if (found) return found;
      throw new UsageError(`Unknown --${option} "${name}".\nAllowed: ${allowed.join(', ')}.`);
    });
}

/** The whole number that an option was given. @throws {UsageError} for anything else. */
export function wholeNumber(
  option: string,
  given: string,
  [least, most]: [number, number],
): number {
  const number = /^\d+$/.test(given) ? Number(given) : NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `Wrong --${option} "${given}".\nAllowed: a whole number from ${least} to ${most}.`,
  );
}

export interface Command<A> {
  /** @throws {UsageError} */
  readonly parse: (argv: readonly string[]) => A;
  readonly help: string;
  /** Its exit code. */
  readonly run: (args: A) => Promise<number>;
}

/** Runs a command; its exit code is 2 for a wrong command line. */
export async function runCommand<A extends { readonly help?: boolean | undefined }>({
  parse,
  help,
  run,
}: Command<A>): Promise<number> {
  let args: A;
  try {
    args = parse(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nSee --help.\n`);
    return 2;
  }
  if (args.help) {
    process.stdout.write(help);
    return 0;
  }
  return run(args);
}
