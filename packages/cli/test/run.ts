import { stripVTControlCharacters } from 'node:util';
import colors from 'picocolors';
import { runCli, type Terminal } from '../src/index.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly questions: readonly string[];
}

export interface Around {
  /** What the user answers; undefined: nobody can be asked. */
  readonly answer?: string | (() => Promise<string>);
  readonly columns?: number;
  readonly colours?: boolean;
  readonly env?: Record<string, string>;
  readonly folder?: string;
  readonly input?: string;
  readonly stopped?: AbortSignal;
  readonly onOut?: (text: string) => void;
}

/** One command line, in this process; the servers are real. */
export async function run(argv: readonly string[], around: Around = {}): Promise<Ran> {
  const [out, err, questions]: string[][] = [[], [], []];
  const { answer } = around;
  const terminal: Terminal = {
    out(text) {
      out!.push(text);
      around.onOut?.(text);
    },
    err: (text) => void err!.push(text),
    paint: colors.createColors(around.colours ?? false),
    columns: around.columns,
    env: around.env ?? {},
    ask:
      answer === undefined
        ? undefined
        : async (question) => {
            questions!.push(question);
            return typeof answer === 'string' ? answer : answer();
          },
    readInput: async () => around.input ?? '',
    stopped: around.stopped ?? new AbortController().signal,
    folder: around.folder ?? import.meta.dirname,
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
