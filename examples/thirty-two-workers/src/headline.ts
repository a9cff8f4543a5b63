import type { Arguments } from './arguments.ts';
import type { GuardId } from './guards.ts';
import { count } from './plural.ts';
import type { Cell, CellResult } from './run-cell.ts';
import type { ScenarioId } from './scenarios.ts';
import { resultOf } from './verdict.ts';

type Field = Pick<Cell, 'scenario' | 'guard'>;

/** The two cells that show what sendonce is for. */
const HEADLINE: readonly Field[] = [
  { scenario: 'copies', guard: 'none' },
  { scenario: 'copies', guard: 'sendonce' },
];

const isHeadline = ({ scenario, guard }: Field) =>
  HEADLINE.some((one) => one.scenario === scenario && one.guard === guard);

/** The cells in the order in which they run: the headline first, then by column. */
export function orderCells({
  scenarios,
  guards,
}: Pick<Arguments, 'scenarios' | 'guards'>): Field[] {
  const cells = inTableOrder(scenarios, guards);
  return [...cells.filter(isHeadline), ...cells.filter((cell) => !isHeadline(cell))];
}

/** The results in the order of the table. */
export function sortResults(results: readonly CellResult[], args: Arguments): CellResult[] {
  const order = inTableOrder(args.scenarios, args.guards);
  const indexOf = ({ cell }: CellResult) =>
    order.findIndex(({ scenario, guard }) => scenario === cell.scenario && guard === cell.guard);
  return results.toSorted((one, other) => indexOf(one) - indexOf(other));
}

function inTableOrder(scenarios: readonly ScenarioId[], guards: readonly GuardId[]): Field[] {
  return scenarios.flatMap((scenario) => guards.map((guard) => ({ scenario, guard })));
}

/** The first result in one line. Undefined until both cells have run. */
export function renderHeadline(
  results: readonly CellResult[],
  workers: number,
): string | undefined {
  const [none, own] = HEADLINE.map(({ scenario, guard }) => resultOf(results, scenario, guard));
  if (!none || !own) return undefined;
  const emails = ({ cell }: CellResult) => count(cell.arrived, 'email', 'emails');
  return (
    `${count(workers, 'worker', 'workers')}, ${count(workers, 'copy', 'copies')} of one job: ` +
    `${emails(none)} without a guard, ${emails(own)} with sendonce.`
  );
}
