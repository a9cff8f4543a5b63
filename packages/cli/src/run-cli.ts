import { isSendonceError } from '@sendonce/core';
import { type Command, parseGiven } from './command.ts';
import { commands } from './commands/index.ts';
import type { Desk } from './desk.ts';
import { commandHelp, help } from './help.ts';
import { openDesk } from './open-desk.ts';
import { suggest } from './suggest.ts';
import { exit, type Terminal, UnavailableError, UsageError } from './terminal.ts';

/** Runs one command line. @returns its exit code, see `exit` */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const command = commands.find((one) => one.name === rest[0]);
    terminal.out(command ? commandHelp(command) : help(commands));
    return name === undefined ? exit.usage : exit.ok;
  }
  const command = commands.find((one) => one.name === name);
  if (!command) {
    const meant = suggest(
      name,
      commands.map((one) => one.name),
    );
    terminal.err(`There is no "${name}".${meant === undefined ? '' : ` Did you mean "${meant}"?`}`);
    terminal.err(`Commands: ${commands.map((one) => one.name).join(', ')}. See sendonce --help.`);
    return exit.usage;
  }
  return runCommand(command, rest, terminal);
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let desk: Desk | undefined;
  try {
    const given = parseGiven(command, argv);
    if (given.help) {
      terminal.out(commandHelp(command));
      return exit.ok;
    }
    return await command.run(
      given,
      terminal,
      async () => (desk ??= await openDesk(given, terminal)),
    );
  } catch (error) {
    // What a server has that is not as it must be (a schema of another version) is no fault of the command line.
    const opened = desk !== undefined;
    return tellError(error, command, terminal, opened);
  } finally {
    await desk?.close().catch(() => {});
  }
}

function tellError(error: unknown, command: Command, terminal: Terminal, opened: boolean): number {
  const wrong = !opened && isSendonceError(error, 'SENDONCE_OPTION');
  const usage = error instanceof UsageError || wrong;
  const unavailable = error instanceof UnavailableError || isSendonceError(error);
  if (!usage && !unavailable) throw error;
  terminal.err((error as Error).message);
  if (usage) terminal.err(`See sendonce ${command.name} --help.`);
  return usage ? exit.usage : exit.unavailable;
}
