import type { Paint } from '@sendonce/testkit/colours';
import type { CaseResult } from './run-case.ts';
import { awaitOf, NO_REASON, unreachedOf } from './unreached.ts';
import type { Walk } from './walk.ts';

const NAME_WIDTH = 76;
const TIMES_WIDTH = 6;
const COLUMN_WIDTH = 6;

interface Column {
  readonly head: string;
  readonly style: keyof Paint;
  readonly holds: (result: CaseResult) => boolean;
}

const ends = (outcome: CaseResult['outcome']) => (result: CaseResult) =>
  !result.violation && result.outcome === outcome;

const columns: readonly Column[] = [
  { head: 'sent', style: 'green', holds: ends('sent once') },
  { head: 'rej.', style: 'green', holds: ends('rejected') },
  { head: 'skip', style: 'green', holds: ends('skipped') },
  { head: 'canc.', style: 'green', holds: ends('cancelled') },
  { head: 'doubt', style: 'yellow', holds: ends('in doubt, listed') },
  { head: 'WRONG', style: 'red', holds: ({ violation }) => violation },
];

/** Points x outcomes for each system, and the same by scenario. */
export function tableOf(walks: readonly Walk[], paint: Paint): string {
  const struck = walks.map(({ cases }) => cases.filter(({ struckAt }) => struckAt !== undefined));
  const points = groupsOf(struck, ({ aim }) => aim?.point ?? '');
  const files = groupBy([...points], ([point]) => awaitOf(point).split(' ', 2).join(' '));
  const scenarios = groupsOf(struck, ({ scenario }) => scenario.name);
  return [
    ...headOf('point', walks, paint),
    ...[...files].flatMap(([file, inFile]) => [
      paint.bold(file),
      ...inFile.map(([point, found]) => rowOf(`  ${point.replace(`${file} `, '')}`, found, paint)),
    ]),
    ...headOf('scenario', walks, paint),
    ...[...scenarios].map(([name, found]) => rowOf(name, found, paint)),
    rowOf('all', struck, paint),
    ...walks.flatMap((walk) => footOf(walk, paint)),
    '',
  ].join('\n');
}

function headOf(title: string, walks: readonly Walk[], paint: Paint): string[] {
  const group = columns.length * COLUMN_WIDTH;
  const systems = walks.map(({ system }) => `  ${system.padStart(group)}`).join('');
  const heads = columns.map(({ head }) => head.padStart(COLUMN_WIDTH)).join('');
  const name = title.padEnd(NAME_WIDTH) + 'times'.padStart(TIMES_WIDTH);
  return [
    '',
    paint.dim(' '.repeat(NAME_WIDTH + TIMES_WIDTH) + systems),
    paint.bold(name + walks.map(() => `  ${heads}`).join('')),
  ];
}

/** One row; a group of results for each system. */
function rowOf(title: string, found: readonly (readonly CaseResult[])[], paint: Paint): string {
  const name =
    title.length > NAME_WIDTH ? `${title.slice(0, NAME_WIDTH - 1)}…` : title.padEnd(NAME_WIDTH);
  const cells = found.map((results) =>
    columns.map(({ style, holds }) => {
      const count = results.filter(holds).length;
      return paint[style]((count === 0 ? '' : String(count)).padStart(COLUMN_WIDTH));
    }),
  );
  const times = String(found.flat().length).padStart(TIMES_WIDTH);
  return name + times + cells.map((own) => `  ${own.join('')}`).join('');
}

function footOf(walk: Walk, paint: Paint): string[] {
  const { system, cases, processes, tookMs } = walk;
  const passed = new Set(cases.map(({ aim }) => aim?.point));
  const missed = cases.filter(({ struckAt }) => struckAt === undefined).length;
  const seconds = (tookMs / 1_000).toFixed(0);
  return [
    '',
    paint.bold(`${system}: ${passed.size} points, ${cases.length} cases, ${seconds} s`) +
      `, ${processes} processes` +
      (missed > 0 ? `; ${missed} times the path did not come by there again` : ''),
  ];
}

/** What no scenario passes, and why; for walks of all scenarios. */
export function unreachedTextOf(walks: readonly Walk[], paint: Paint): string {
  return walks
    .flatMap((walk) => [
      paint.bold(`${walk.system}, not on this path`),
      ...unreachedOf(walk).flatMap(({ why, points }) => {
        const line = `${String(points.length).padStart(4)}  ${why}`;
        if (why !== NO_REASON) return [paint.dim(line)];
        return [paint.red(line), ...points.map((point) => `        ${point}`)];
      }),
      '',
    ])
    .join('\n');
}

/** The results of each system by a name, in the order in which the names came. */
function groupsOf(
  systems: readonly (readonly CaseResult[])[],
  nameOf: (result: CaseResult) => string,
): Map<string, CaseResult[][]> {
  const names = new Set(systems.flat().map(nameOf));
  const own = systems.map((results) => groupBy(results, nameOf));
  return new Map([...names].map((name) => [name, own.map((groups) => groups.get(name) ?? [])]));
}

function groupBy<T>(all: readonly T[], nameOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const name = nameOf(one);
    const group = groups.get(name);
    if (group) group.push(one);
    else groups.set(name, [one]);
  }
  return groups;
}
