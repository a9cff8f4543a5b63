import { isSendonceError } from '@sendonce/core';
import type { Backend } from './backend.ts';
import type { Command, CommandLine } from './command.ts';
import { commands } from './commands/index.ts';
import { toJson } from './json.ts';
import { openBackend } from './open-backend.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { reportError } from './report-error.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/**
 * Runs one command line and resolves with its exit code: 0 success, 1 a negative result, 2 a wrong
 * command line, 3 a server or record that cannot be read, 4 nothing is known in that place. It
 * reports errors on the terminal and does not throw.
 *
 * @param argv the words after `sendonce`
 * @param terminal where it writes, and what it reads
 * @example
 * process.exitCode = await runCli(['doubts', '--json'], terminal);
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first = '--help', ...rest] = argv;
  const end = argv.indexOf('--');
  const options = argv.slice(0, end === -1 ? undefined : end);
  // `--json=1` is a wrong command line, which is reported as JSON.
  const isJson = options.some((word) => /^--json(=|$)/.test(word));
  try {
    const words = first === 'version' ? ['--version', ...rest] : [first, ...rest];
    const request = parseCommandLine(commands, words, terminal);
    if ('command' in request) return await runCommand(request, terminal);
    const { text, isVersion } = request;
    terminal.out(isVersion && isJson ? toJson({ version: text }) : text);
    return argv.length === 0 ? exitCodes.usage : exitCodes.ok;
  } catch (error) {
    const code = reportError(error, terminal, isJson);
    const isMistake =
      isSendonceError(error, 'SENDONCE_USAGE') || isSendonceError(error, 'SENDONCE_OPTION');
    if (!isMistake) return code;
    const isCommand = commands.some(({ name }) => name === first);
    terminal.err(`See sendonce ${isCommand ? `${first} ` : ''}--help.`);
    return exitCodes.usage;
  }
}

async function runCommand(
  { command, commandLine }: { readonly command: Command; readonly commandLine: CommandLine },
  terminal: Terminal,
): Promise<number> {
  let backend: Backend | undefined;
  try {
    return await command.run(
      commandLine,
      terminal,
      async () => (backend ??= await openBackend(commandLine, terminal)),
    );
  } catch (error) {
    // An option of the command line is checked before the backend is open. After that, an
    // OptionError is about a server, such as a schema of another version.
    const isServer = backend !== undefined && isSendonceError(error, 'SENDONCE_OPTION');
    if (!isServer) throw error;
    return reportError(error, terminal, commandLine.json);
  } finally {
    await backend?.close().catch(() => {});
  }
}
