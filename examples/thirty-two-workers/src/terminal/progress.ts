import { bar, type LineOutput, movingLine } from '@sendonce/testkit/moving-line';
import type { Cell } from '../run-cell.ts';

/** Shows what is under way: one line that changes on a terminal, a line for each step elsewhere. */
export interface Progress {
  /** For the moment. Shown again, with the time, while nothing else is shown. */
  readonly say: (text: string) => void;
  /** To stay. */
  readonly line: (text: string) => void;
  /** How many cells there are. */
  readonly expect: (cells: number) => void;
  readonly begin: (cell: Pick<Cell, 'scenario' | 'guard'>) => void;
  readonly done: (cell: Cell) => void;
  readonly clear: () => void;
}

/** What takes longer is shown again: a silent demo looks as if it hangs. */
const REMIND_EVERY_MS = 10_000;

export function createProgress(moving: LineOutput, lasting: LineOutput): Progress {
  const { moves, show, clear } = movingLine(moving);
  const seconds = secondsSince(Date.now());
  const running = new Set<string>();
  let [finished, of] = [0, 0];
  let reminder: NodeJS.Timeout | undefined;

  function remind(text: () => string): void {
    clearInterval(reminder);
    reminder = setInterval(() => {
      if (moves) show(text());
      else moving.write(`${text()}: still running\n`);
    }, REMIND_EVERY_MS);
    reminder.unref();
  }

  function showRunning(): void {
    if (running.size === 0) {
      clearInterval(reminder);
      return;
    }
    const text = () => `${finished}/${of}  ${seconds()}  ${[...running].join(', ')}`;
    const withBar = () => `${bar(finished, of)} ${text()}`;
    show(withBar());
    remind(moves ? withBar : text);
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
    expect(cells) {
      of = cells;
    },
    begin(cell) {
      running.add(nameOf(cell));
      showRunning();
    },
    done(cell) {
      finished += 1;
      running.delete(nameOf(cell));
      showRunning();
      if (moves) return;
      const { arrived, lost, inDoubt, atRest } = cell;
      const unsure = atRest === false ? '? did not come to rest, ' : '';
      const notes = `${lost ? `, ${lost} lost` : ''}${inDoubt ? `, ${inDoubt} in doubt` : ''}`;
      moving.write(
        `${finished}/${of}  ${seconds()}  ${nameOf(cell)}: ${unsure}${arrived} arrived${notes}\n`,
      );
    },
    clear() {
      clearInterval(reminder);
      clear();
    },
  };
}

function nameOf({ scenario, guard }: Pick<Cell, 'scenario' | 'guard'>): string {
  return `${scenario} / ${guard}`;
}

function secondsSince(startMs: number): () => string {
  return () => `${Math.round((Date.now() - startMs) / 1000)} s`;
}
