import type { ProcessorName, SetupName } from '../names.ts';
import type { Progress } from '../progress.ts';
import { type CellRun, comparedSystems, type ComparedSystem, type Ratios } from './run-checkout.ts';

/** Measures one cell of each checkout. */
export interface Sides {
  readonly before: (cell: CellRun) => Promise<Ratios>;
  readonly after: (cell: CellRun) => Promise<Ratios>;
}

/** What was measured of one system in one cell: a number for each round. */
export interface PairedCell {
  readonly system: ComparedSystem;
  readonly processor: ProcessorName;
  readonly setup: SetupName;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface Plan {
  readonly rounds: number;
  readonly processors: readonly ProcessorName[];
  readonly setups: readonly SetupName[];
  readonly jobs: number | undefined;
}

/**
 * Measures every cell on both sides, round by round. The two processes of a pair run one directly
 * after the other, so that both meet the same machine, and take turns in being first.
 */
export async function measureRounds(
  { rounds, processors, setups, jobs }: Plan,
  sides: Sides,
  progress: Progress,
): Promise<readonly PairedCell[]> {
  const cells = processors.flatMap((processor) =>
    setups.map((setup) => ({
      run: { processor, setup, jobs },
      before: [] as Ratios[],
      after: [] as Ratios[],
    })),
  );
  for (let round = 0; round < rounds; round++) {
    progress.step(`round ${round + 1} of ${rounds}`);
    const order = round % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const);
    for (const cell of cells) {
      for (const side of order) {
        const { processor, setup } = cell.run;
        progress.show(`round ${round + 1} of ${rounds}: ${processor}, ${setup}, ${side}`);
        cell[side].push(await sides[side](cell.run));
      }
    }
  }
  return cells.flatMap(({ run, before, after }) =>
    comparedSystems.map((system) => ({
      system,
      processor: run.processor,
      setup: run.setup,
      before: before.map((ratios) => ratios[system]),
      after: after.map((ratios) => ratios[system]),
    })),
  );
}
