import type { WriteStream } from 'node:tty';
import type { Cell } from '../run-cell.ts';

/** Says what goes on: one line that changes on a terminal, a line for each cell elsewhere. */
export interface Progress {
  /** For the moment. */
  readonly say: (text: string) => void;
  /** To stay. */
  readonly line: (text: string) => void;
  readonly begin: (cell: Pick<Cell, 'scenario' | 'guard'>, number: number, of: number) => void;
  readonly done: (cell: Cell, number: number, of: number) => void;
  readonly clear: () => void;
}

type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

export function createProgress(moving: Output, lasting: Output): Progress {
  const inPlace = moving.isTTY === true;
  const clear = () => {
    if (inPlace) moving.write('\r\u001B[K');
  };
  const say = (text: string) => {
    if (!inPlace) return;
    clear();
    // A line that wraps could not be taken back.
    moving.write(text.slice(0, (moving.columns ?? 80) - 1));
  };
  const seconds = secondsSince(Date.now());
  return {
    say,
    line(text) {
      clear();
      lasting.write(`${text}\n`);
    },
    begin: ({ scenario, guard }, number, of) =>
      say(`${bar(number - 1, of)} ${number}/${of}  ${seconds()}  ${scenario} / ${guard}`),
    done(cell, number, of) {
      if (inPlace) return;
      const { scenario, guard, arrived, lost, inDoubt } = cell;
      const notes = `${lost ? `, ${lost} lost` : ''}${inDoubt ? `, ${inDoubt} in doubt` : ''}`;
      moving.write(
        `${number}/${of}  ${seconds()}  ${scenario} / ${guard}: ${arrived} arrived${notes}\n`,
      );
    },
    clear,
  };
}

function bar(done: number, of: number): string {
  const width = 20;
  const filled = Math.round((done / of) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}

function secondsSince(startMs: number): () => string {
  return () => `${Math.round((Date.now() - startMs) / 1000)} s`;
}
