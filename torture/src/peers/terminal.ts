import type { Paint } from '@sendonce/testkit/colours';
import { systems } from '../systems/index.ts';
import type { SystemName } from '../systems/names.ts';
import { type FaultName, faults } from './faults.ts';
import { fieldOf, isWrong, needsPerson } from './field.ts';
import type { Cell } from './run.ts';

export interface TableOptions {
  readonly cells: readonly Cell[];
  readonly systems: readonly SystemName[];
  readonly faults: readonly FaultName[];
  readonly paint: Paint;
  /** Of the terminal; a table that is wider is cut into several. */
  readonly columns: number;
}

const GAP = '  ';

/** The fields, aligned: faults down, systems across. */
export function renderTable(options: TableOptions): string {
  const label = Math.max(...options.faults.map((name) => faults[name].title.length));
  const width = (system: SystemName) =>
    Math.max(
      ...[system, ...ofSystem(options.cells, system).map(fieldOf)].map(({ length }) => length),
    );
  const parts: SystemName[][] = [];
  let used = Infinity;
  for (const system of options.systems) {
    const needed = GAP.length + width(system);
    if (used + needed > options.columns) {
      parts.push([]);
      used = label;
    }
    used += needed;
    parts.at(-1)!.push(system);
  }
  return parts.map((part) => renderPart(part)).join('\n\n');

  function renderPart(part: readonly SystemName[]): string {
    const { paint } = options;
    const heading = part.map((system) => paint.bold(system.padEnd(width(system))));
    const rows = options.faults.map((fault) => {
      const fields = part.map((system) => {
        const cell = ofSystem(options.cells, system).find((one) => one.fault === fault);
        if (!cell) return ''.padEnd(width(system));
        const text = fieldOf(cell).padEnd(width(system));
        return isWrong(cell) ? paint.red(text) : needsPerson(cell) ? paint.yellow(text) : text;
      });
      return [faults[fault].title.padEnd(label), ...fields].join(GAP);
    });
    return [[''.padEnd(label), ...heading].join(GAP), ...rows]
      .map((line) => line.trimEnd())
      .join('\n');
  }
}

function ofSystem(cells: readonly Cell[], system: SystemName): Cell[] {
  return cells.filter((cell) => cell.system === system);
}

/** How each was set up. */
export function legendOf(names: readonly SystemName[]): string {
  const width = Math.max(...names.map(({ length }) => length));
  return names
    .map((name) => `${name.padEnd(width)}  ${systems[name].title}. ${systems[name].setup}`)
    .join('\n');
}
