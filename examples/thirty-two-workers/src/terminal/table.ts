import { type GuardId, guards } from '../guards.ts';
import type { Cell, CellResult } from '../run-cell.ts';
import { type ScenarioId, scenariosFor } from '../scenarios.ts';
import { markOf, resultOf } from '../verdict.ts';
import type { Paint } from '@sendonce/testkit/colours';

export interface TableOptions {
  readonly results: readonly CellResult[];
  readonly scenarios: readonly ScenarioId[];
  readonly guards: readonly GuardId[];
  readonly workers: number;
  readonly paint: Paint;
  /** Of the terminal; a table that is wider is cut into several. */
  readonly columns: number;
}

const WIDTH = 10;
const GAP = '  ';

/** The figures, aligned: guards down, scenarios across; in each field the emails that arrived. */
export function renderTable(options: TableOptions): string {
  const labels = options.guards.map((guard) => guards[guard].title);
  const labelWidth = Math.max(...labels.map((label) => label.length), 'guard'.length);
  const fit = Math.floor((options.columns - labelWidth) / (WIDTH + GAP.length));
  const perTable = Math.max(1, Math.min(fit, options.scenarios.length));
  const tables: string[] = [];
  for (let start = 0; start < options.scenarios.length; start += perTable) {
    const scenarios = options.scenarios.slice(start, start + perTable);
    tables.push(renderPart({ ...options, scenarios }, labelWidth));
  }
  return tables.join('\n\n');
}

function renderPart(options: TableOptions, labelWidth: number): string {
  const { results, scenarios, paint } = options;
  const titles = scenariosFor(options.workers);
  const headings = scenarios.map((scenario) => wrap(titles[scenario].title, WIDTH));
  const height = Math.max(...headings.map((lines) => lines.length));
  const head = Array.from({ length: height }, (_, line) =>
    [
      (line === height - 1 ? 'guard' : '').padEnd(labelWidth),
      // Headings end at the line, like the figures below them.
      ...headings.map((lines) => (lines[line - height + lines.length] ?? '').padStart(WIDTH)),
    ]
      .map((text) => paint.bold(text))
      .join(GAP),
  );
  const rule = '─'.repeat(labelWidth + scenarios.length * (WIDTH + GAP.length));
  const rows = options.guards.flatMap((guard) => {
    const cells = scenarios.map((scenario) => resultOf(results, scenario, guard)?.cell);
    const figures = cells.map((cell) => figure(cell, paint));
    const notes = cells.map((cell) => note(cell, paint));
    const row = [guards[guard].title.padEnd(labelWidth), ...figures].join(GAP);
    const below = [''.padEnd(labelWidth), ...notes].join(GAP);
    return below.trim() === '' ? [row] : [row, below];
  });
  return [...head, paint.dim(rule), ...rows].map((line) => line.trimEnd()).join('\n');
}

function figure(cell: Cell | undefined, paint: Paint): string {
  if (!cell) return '-'.padStart(WIDTH);
  // The mark has the same meaning as the colour, for readers who do not see colours.
  const mark = markOf(cell);
  const colours = { '✓': paint.green, '✗': paint.red, '?': paint.yellow };
  return colours[mark](`${mark} ${cell.arrived}`.padStart(WIDTH));
}

function note(cell: Cell | undefined, paint: Paint): string {
  if (cell && cell.inDoubt > 0) return paint.yellow(`${cell.inDoubt} in doubt`.padStart(WIDTH));
  if (cell && cell.lost > 0) return paint.red(`${cell.lost} lost`.padStart(WIDTH));
  return ''.padStart(WIDTH);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
