import { readFileSync } from 'node:fs';
import { isKey } from '@sendonce/core/ledger';
import { Argument, Command as Parser, CommanderError } from 'commander';
import stringWidth from 'string-width';
import { checkOptions } from './check-options.ts';
import { type Command, type CommandLine, locationOptions } from './command.ts';
import { type Terminal, UsageError } from './terminal.ts';
import { textWidth, wrap } from './wrap.ts';

/** What the command line asks for: a command, or a text: the help or the version. */
export type Request =
  | { readonly command: Command; readonly commandLine: CommandLine }
  | { readonly text: string; readonly isVersion: boolean };

/** Long lines are harder to read than short ones, also on a wide terminal. */
const MAX_HELP_WIDTH = 80;

const HELP_FOOTER = `Each option that says where the emails are can also be set in the environment: SENDONCE_REDIS, SENDONCE_QUEUE_PREFIX, …

Exit codes: 0 success; 1 negative result (not found, emails in doubt, already resolved); 2 usage error; 3 server unavailable; 4 nothing at all is known in that place.
Colours are off with NO_COLOR, and if stdout is not a terminal.`;

/** @throws {UsageError} that names an unknown word and the nearest known one */
export function parseCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  terminal: Pick<Terminal, 'columns' | 'env'>,
): Request {
  const helpWidth = Math.min(textWidth(terminal), MAX_HELP_WIDTH);
  const wrapHelp = (text: string) => `\n${wrap(text, { columns: helpWidth })}`;
  let request: Request | undefined;
  let text = '';
  const parser = new Parser('sendonce')
    .description("What happened to this customer's email?")
    .usage('<command> [options]')
    .exitOverride()
    // Errors are thrown, and printed by runCli().
    .configureOutput({ writeOut: (part) => (text += part), writeErr() {}, outputError() {} })
    .configureHelp({
      helpWidth,
      minWidthToWrap: 16,
      showGlobalOptions: true,
      displayWidth: stringWidth,
      subcommandTerm: (one) => `${one.name()} ${one.usage().replace(/\[options\] ?|--.*/g, '')}`,
    })
    .helpOption('-h, --help', 'this text')
    .helpCommand('help [command]', 'the help of a command')
    .version(readVersion(), '-v, --version', 'the version of sendonce')
    .option('--json', 'one JSON object on stdout, and nothing else there')
    .addHelpText('afterAll', wrapHelp(HELP_FOOTER));
  for (const [flags, help] of Object.values(locationOptions)) parser.option(flags, help);
  for (const command of commands) {
    const { name, argument, usage, summary, details, options = [] } = command;
    const one = parser.command(name).description(summary);
    if (argument) {
      const { choices } = argument;
      const added = new Argument(argument.name, argument.help);
      one.addArgument(choices ? added.choices(choices) : added);
    }
    if (usage !== undefined) one.usage(usage);
    if (details !== undefined) one.addHelpText('after', wrapHelp(details));
    for (const [flags, help, repeated] of options) {
      if (repeated) one.option(flags, help, addValue);
      else one.option(flags, help);
    }
    one.action(() => {
      request = { command, commandLine: readCommandLine(parser, one) };
    });
  }
  checkOptions(parser, argv);
  try {
    parser.parse(withKeysLast(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) {
      const names = commands.map(({ name }) => name).join(', ');
      // Thrown without a command, or by "help" with an unknown one.
      const isHelp = error.code === 'commander.help';
      throw new UsageError(isHelp ? `Expected a command: ${names}.` : describeMistake(error, argv));
    }
    return { text: text.trimEnd(), isVersion: error.code === 'commander.version' };
  }
  return request!;
}

function addValue(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function readCommandLine(parser: Parser, one: Parser): CommandLine {
  const given: CommandLine['values'] = one.optsWithGlobals();
  const options = [...parser.options, ...one.options];
  const values = Object.fromEntries(
    options.map((option) => [option.name(), given[option.attributeName()]]),
  );
  return { words: one.args, values, json: values['json'] === true };
}

/**
 * One key in 64 begins with a dash and would be read as an option. After `--` it is a word.
 * An option of 21 characters would look the same, and checkOptions() has refused such a value.
 */
function withKeysLast(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const words = end === -1 ? [] : argv.slice(end + 1);
  const isDashedKey = (word: string) => word.startsWith('-') && isKey(word);
  const last = [...options.filter(isDashedKey), ...words];
  return [
    ...options.filter((word) => !isDashedKey(word)),
    ...(last.length > 0 ? ['--'] : []),
    ...last,
  ];
}

/**
 * The message of commander in sentences, without the values that were given: one may be a password.
 */
function describeMistake({ message }: CommanderError, argv: readonly string[]): string {
  const text = message.replace(/^error: /, '').replace(/\n\((Did you mean [^)]*)\)$/, '. $1');
  // Commander reads `-yabc` as -y and -abc, which is not a word of argv.
  const [, flag] = /^unknown option '([^]*)'/.exec(text) ?? [];
  return [...(flag === undefined ? [] : [flag]), ...argv].reduce(
    (shown, word) => shown.replaceAll(`'${word}'`, `'${hideValue(word)}'`),
    text.charAt(0).toUpperCase() + text.slice(1),
  );
}

/** The name in a word: `--redis` of `--redis=…`. After one dash there may be a value at once. */
function hideValue(word: string): string {
  if (/^-[^-]./s.test(word)) return `${word.slice(0, 2)}…`;
  return /^-*[\w-]+(?=$|=)/.exec(word)?.[0] ?? '…';
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
