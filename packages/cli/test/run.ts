import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { bundleProgram } from '@sendonce/testkit';
import colors from 'picocolors';
import { runCli, type Terminal } from '../src/index.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly questions: readonly string[];
}

export interface RunOptions {
  /** What the user answers. Undefined if there is no user to ask. */
  readonly answer?: string | (() => Promise<string>);
  readonly columns?: number;
  readonly colours?: boolean;
  readonly env?: Record<string, string>;
  readonly folder?: string;
  readonly input?: string;
  readonly stopped?: AbortSignal;
  readonly onOut?: (text: string) => void;
}

/** Runs one command line in this process, with real servers. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [out, err, questions]: string[][] = [[], [], []];
  const { answer } = options;
  const terminal: Terminal = {
    out(text) {
      out!.push(text);
      options.onOut?.(text);
    },
    err: (text) => void err!.push(text),
    paint: colors.createColors(options.colours ?? false),
    columns: options.columns,
    env: options.env ?? {},
    ask:
      answer === undefined
        ? undefined
        : async (question) => {
            questions!.push(question);
            return typeof answer === 'string' ? answer : answer();
          },
    readInput: async () => options.input ?? '',
    stopped: options.stopped ?? new AbortController().signal,
    folder: options.folder ?? import.meta.dirname,
  };
  const code = await runCli(argv, terminal);
  return { code, out: out!.join('\n'), err: err!.join('\n'), questions: questions! };
}

export const widest = (text: string): number =>
  Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );

const program = await bundleProgram(new URL('../src/main.ts', import.meta.url));

/** The arguments of Node for a command line. */
export const nodeArguments = (argv: readonly string[]): string[] => [program, ...argv];

/** Runs one command line in a new process. `both` has stdout and stderr as they came. */
export async function runProcess(argv: readonly string[], { folder }: { folder?: string } = {}) {
  const child = spawn(process.execPath, nodeArguments(argv), { cwd: folder });
  let [out, err, both] = ['', '', ''];
  child.stdout.on('data', (chunk) => ((out += String(chunk)), (both += String(chunk))));
  child.stderr.on('data', (chunk) => ((err += String(chunk)), (both += String(chunk))));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err, both };
}
