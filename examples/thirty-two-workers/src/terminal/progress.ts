import { bar, type LineOutput, movingLine } from '@sendonce/testkit/moving-line';
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

export function createProgress(moving: LineOutput, lasting: LineOutput): Progress {
  const { moves, show: say, clear } = movingLine(moving);
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
      if (moves) return;
      const { scenario, guard, arrived, lost, inDoubt } = cell;
      const notes = `${lost ? `, ${lost} lost` : ''}${inDoubt ? `, ${inDoubt} in doubt` : ''}`;
      moving.write(
        `${number}/${of}  ${seconds()}  ${scenario} / ${guard}: ${arrived} arrived${notes}\n`,
      );
    },
    clear,
  };
}

function secondsSince(startMs: number): () => string {
  return () => `${Math.round((Date.now() - startMs) / 1000)} s`;
}
