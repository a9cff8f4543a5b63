import { readFileSync } from 'node:fs';
import { isSendonceError } from '@sendonce/core';
import type { Backend } from './backend.ts';
import { type Command, parseCommandLine } from './command.ts';
import { commands } from './commands/index.ts';
import { commandHelp, help } from './help.ts';
import { openBackend } from './open-backend.ts';
import { suggest } from '@sendonce/core/ledger';
import { toJson } from './json.ts';
import { wrap } from './wrap.ts';
import { exitCodes, hidePasswords, stripControls, stripLines, type Terminal } from './terminal.ts';

/** Runs one command line. @returns its exit code, see {@link exitCodes} */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    const command = findCommand(rest[0]);
    terminal.out(command ? commandHelp(command, terminal) : help(commands, terminal));
    return name === undefined ? exitCodes.usage : exitCodes.ok;
  }
  if (['version', '--version', '-v'].includes(name)) return printVersion(rest, terminal);
  const command = findCommand(name);
  return command ? runCommand(command, rest, terminal) : reportUnknownCommand(name, terminal);
}

function printVersion(argv: readonly string[], terminal: Terminal): number {
  const file = new URL('../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  terminal.out(argv.includes('--json') ? toJson({ version }) : version);
  return exitCodes.ok;
}

function findCommand(name: string | undefined): Command | undefined {
  return commands.find((command) => command.name === name);
}

function reportUnknownCommand(name: string, terminal: Terminal): number {
  const names = commands.map((command) => command.name);
  const nearest = suggest(name, names);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  terminal.err(wrap(`There is no "${hidePasswords(stripControls(name))}".${hint}`, terminal));
  terminal.err(wrap(`Commands: ${names.join(', ')}. See sendonce --help.`, terminal));
  return exitCodes.usage;
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let backend: Backend | undefined;
  try {
    const commandLine = parseCommandLine(command, argv);
    if (commandLine.help) {
      terminal.out(commandHelp(command, terminal));
      return exitCodes.ok;
    }
    if (commandLine.values['version']) return printVersion(argv, terminal);
    return await command.run(
      commandLine,
      terminal,
      async () => (backend ??= await openBackend(commandLine, terminal)),
    );
  } catch (error) {
    if (!isSendonceError(error)) throw error;
    terminal.err(wrap(hidePasswords(stripLines(error.message)), terminal));
    // An option of the command line is checked before the backend is open. After that, an
    // OptionError
    // is about a server, such as a schema of another version.
    const isWrongOption = !backend && error.code === 'SENDONCE_OPTION';
    if (!isWrongOption && error.code !== 'SENDONCE_USAGE') return exitCodes.unavailable;
    terminal.err(`See sendonce ${command.name} --help.`);
    return exitCodes.usage;
  } finally {
    await backend?.close().catch(() => {});
  }
}
