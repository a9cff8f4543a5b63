import { stripVTControlCharacters } from 'node:util';
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
