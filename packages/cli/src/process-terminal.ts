import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import colors from 'picocolors';
import { exitCodes, type Terminal } from './terminal.ts';

/** The terminal of this process. NO_COLOR and FORCE_COLOR apply. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  // The terminal was closed.
  process.once('SIGHUP', () => stop.abort());
  let isFailed = false;
  // The command ends as it would, so that a verdict reaches the journal; only its exit code is
  // another one: 1 would say that emails are in doubt.
  const fail = (name: string, { code }: NodeJS.ErrnoException) => {
    if (isFailed) return;
    isFailed = true;
    process.once('exit', () => (process.exitCode = exitCodes.unavailable));
    stop.abort();
    if (name === 'stdout') stderr.write(`stdout cannot be written (${code}).\n`);
  };
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `sendonce doubts | head`: the reader has closed the pipe.
    if (error.code === 'EPIPE') process.exit();
    fail('stdout', error);
  });
  stderr.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of the messages has gone: the exit code still says what happened.
    if (error.code !== 'EPIPE') fail('stderr', error);
  });
  return {
    out: (lines) => void stdout.write(`${lines}\n`),
    err: (lines) => void stderr.write(`${lines}\n`),
    paint: colors.createColors(
      colors.isColorSupported && (stdout.isTTY || env['FORCE_COLOR'] !== undefined),
    ),
    columns: stdout.isTTY ? stdout.columns || 80 : undefined,
    env,
    ask: stdin.isTTY && stderr.isTTY ? ask : undefined,
    readInput: () => text(stdin),
    stopped: stop.signal,
    folder: process.cwd(),
  };
}

/** Empty if the user ends the question (Ctrl-C, Ctrl-D): that confirms nothing. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  lines.once('SIGINT', () => lines.close());
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}
