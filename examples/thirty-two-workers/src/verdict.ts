import { type GuardId, isSendonce } from './guards.ts';
import type { Cell, CellResult } from './run-cell.ts';
import { scenariosFor, type ScenarioId } from './scenarios.ts';

/** Whether the customer got one email, or the one unavoidable doubt was listed. */
export function isRight({ scenario, wanted, arrived, lost, inDoubt, atRest }: Cell): boolean {
  if (atRest === false) return false;
  const doubtsAllowed = scenariosFor(1)[scenario].mayLeaveDoubt ? 1 : 0;
  return arrived === wanted && lost === 0 && inDoubt <= doubtsAllowed;
}

/** `?` for a cell that did not come to rest: its figures may not be the last ones. */
export function markOf(cell: Cell): '✓' | '✗' | '?' {
  if (cell.atRest === false) return '?';
  return isRight(cell) ? '✓' : '✗';
}

/** The promise: never twice and never dropped silently. A doubt is listed and not sent again. */
export function isPromiseKept(results: readonly CellResult[]): boolean {
  return results
    .filter(({ cell }) => isSendonce(cell.guard))
    .every(
      ({ cell, doubts }) =>
        isRight(cell) && doubts.every(({ arrived }) => arrived === cell.arrived),
    );
}

/** Whether the figures of a cell are not the last ones. */
export function isRestless({ cell }: CellResult): boolean {
  return cell.atRest === false;
}

export function resultOf(
  results: readonly CellResult[],
  scenario: ScenarioId,
  guard: GuardId,
): CellResult | undefined {
  return results.find(({ cell }) => cell.scenario === scenario && cell.guard === guard);
}
