import type { Arguments } from './arguments.ts';
import { count } from './plural.ts';
import type { Cell, CellResult } from './run-cell.ts';
import { isRestless, resultOf } from './verdict.ts';

export type Field = Pick<Cell, 'scenario' | 'guard'>;

/** The two cells that show what sendonce is for. */
const HEADLINE: readonly Field[] = [
  { scenario: 'copies', guard: 'none' },
  { scenario: 'copies', guard: 'sendonce' },
];

const isHeadline = ({ scenario, guard }: Field) =>
  HEADLINE.some((one) => one.scenario === scenario && one.guard === guard);

export interface CellOrder {
  /** The first cells, which show what sendonce is for. */
  readonly headline: readonly Field[];
  /** Those with a copy of the job for each worker: one after the other. */
  readonly withAllWorkers: readonly Field[];
  /**
   * Those with one job, which wait more than they work: side by side. By row, because cells of one
   * column would do the same at the same time.
   */
  readonly inGroups: readonly Field[];
}

/** The order in which the cells run. */
export function orderCells({
  scenarios,
  guards,
}: Pick<Arguments, 'scenarios' | 'guards'>): CellOrder {
  const cells = guards.flatMap((guard) => scenarios.map((scenario) => ({ scenario, guard })));
  const others = cells.filter((cell) => !isHeadline(cell));
  return {
    headline: cells.filter(isHeadline),
    withAllWorkers: others.filter(({ scenario }) => scenario === 'copies'),
    inGroups: others.filter(({ scenario }) => scenario !== 'copies'),
  };
}

/** The results in the order of the table. */
export function sortResults(results: readonly CellResult[], args: Arguments): CellResult[] {
  const order = args.scenarios.flatMap((scenario) =>
    args.guards.map((guard) => ({ scenario, guard })),
  );
  const indexOf = ({ cell }: CellResult) =>
    order.findIndex(({ scenario, guard }) => scenario === cell.scenario && guard === cell.guard);
  return results.toSorted((one, other) => indexOf(one) - indexOf(other));
}

/** The first result in one line. Undefined unless both cells have run and came to rest. */
export function renderHeadline(
  results: readonly CellResult[],
  workers: number,
): string | undefined {
  const [none, own] = HEADLINE.map(({ scenario, guard }) => resultOf(results, scenario, guard));
  if (!none || !own || isRestless(none) || isRestless(own)) return undefined;
  const emails = ({ cell }: CellResult) => count(cell.arrived, 'email', 'emails');
  return (
    `${count(workers, 'worker', 'workers')}, ${count(workers, 'copy', 'copies')} of one job: ` +
    `${emails(none)} without a guard, ${emails(own)} with sendonce.`
  );
}
