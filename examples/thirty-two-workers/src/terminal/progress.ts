import { bar, type LineOutput, movingLine } from '@sendonce/testkit/moving-line';
import type { Cell } from '../run-cell.ts';

/** Shows what is under way: one line that changes on a terminal, a line for each step elsewhere. */
export interface Progress {
  /** For the moment. Shown again, with the time, while nothing else is shown. */
  readonly say: (text: string) => void;
  /** To stay. */
  readonly line: (text: string) => void;
  readonly begin: (cell: Pick<Cell, 'scenario' | 'guard'>, number: number, of: number) => void;
  readonly done: (cell: Cell, number: number, of: number) => void;
  readonly clear: () => void;
}

/** What takes longer is shown again: a silent demo looks as if it hangs. */
const REMIND_EVERY_MS = 10_000;

export function createProgress(moving: LineOutput, lasting: LineOutput): Progress {
  const { moves, show, clear } = movingLine(moving);
  const seconds = secondsSince(Date.now());
  let reminder: NodeJS.Timeout | undefined;

  function remind(text: () => string): void {
    clearInterval(reminder);
    reminder = setInterval(() => {
      if (moves) show(text());
      else moving.write(`${text()}: still running\n`);
    }, REMIND_EVERY_MS);
    reminder.unref();
  }

  return {
    say(text) {
      if (moves) show(text);
      else moving.write(`${text}\n`);
      remind(() => `${seconds()}  ${text}`);
    },
    line(text) {
      clear();
      lasting.write(`${text}\n`);
    },
    begin({ scenario, guard }, number, of) {
      const text = () => `${number}/${of}  ${seconds()}  ${scenario} / ${guard}`;
      const withBar = () => `${bar(number - 1, of)} ${text()}`;
      show(withBar());
      remind(moves ? withBar : text);
    },
    done(cell, number, of) {
      clearInterval(reminder);
      if (moves) return;
      const { scenario, guard, arrived, lost, inDoubt, atRest } = cell;
      const unsure = atRest === false ? '? did not come to rest, ' : '';
      const notes = `${lost ? `, ${lost} lost` : ''}${inDoubt ? `, ${inDoubt} in doubt` : ''}`;
      moving.write(
        `${number}/${of}  ${seconds()}  ${scenario} / ${guard}: ${unsure}${arrived} arrived${notes}\n`,
      );
    },
    clear() {
      clearInterval(reminder);
      clear();
    },
  };
}

function secondsSince(startMs: number): () => string {
  return () => `${Math.round((Date.now() - startMs) / 1000)} s`;
}
