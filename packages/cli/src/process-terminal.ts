import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import colors from 'picocolors';
import type { Terminal } from './terminal.ts';

/** The terminal of this process. NO_COLOR and FORCE_COLOR apply. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  // `sendonce doubts | head`: the reader has closed the pipe.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
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

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
