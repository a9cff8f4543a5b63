import { type Doubt, listDoubts, resolveDoubt } from './doubts.ts';
import type { GuardId } from './guards.ts';
import { incidents } from './incidents.ts';
import type { LaneEvent } from './messages.ts';
import type { ScenarioId } from './scenarios.ts';
import { buildStage, type CellOptions, type Stage } from './stage.ts';
import { ATTEMPTS, BACKOFF_MS, DELAY_MS } from './timing.ts';
import { watchStage } from './watch.ts';

/** One field of the table. */
export interface Cell {
  readonly scenario: ScenarioId;
  readonly guard: GuardId;
  readonly wanted: number;
  readonly arrived: number;
  readonly lost: number;
  readonly inDoubt: number;
  /** False if jobs were still running at the deadline: the figures are then not the last ones. */
  readonly atRest?: false | undefined;
}

export interface CellResult {
  readonly cell: Cell;
  /** How many workers listened to its queue. */
  readonly workers: number;
  readonly events: readonly LaneEvent[];
  /** When the jobs were added. */
  readonly startMs: number;
  readonly endMs: number;
  readonly doubts: readonly Doubt[];
  /** What was still running, if the cell did not come to rest. */
  readonly restless?: string;
}

/** Lets one scenario happen to one guard, and counts what arrived. */
export async function runCell(options: CellOptions): Promise<CellResult> {
  const { scenario, guard, pool } = options;
  const stage = await buildStage(options);
  try {
    const { listener, events, comeToRest } = watchStage(
      stage,
      pool,
      incidents[scenario](stage, pool),
    );
    await pool.open(stage.plan, listener);
    const startMs = Date.now();
    await schedule(stage, scenario === 'copies' ? pool.workers : 1);
    const rest = await comeToRest();

    const endMs = Date.now();
    const arrived = stage.smtp.received.length;
    const records = await listDoubts(stage);
    const inDoubt = records.length;
    // Nothing arrived, nothing is left to run, and no record says so.
    const lost = rest.reached && arrived === 0 && inDoubt === 0 ? 1 : 0;
    const seen = [...events];
    const doubts: Doubt[] = [];
    const cell: Cell = { scenario, guard, wanted: 1, arrived, lost, inDoubt };
    const result = { workers: pool.workers, events: seen, startMs, endMs, doubts };
    if (!rest.reached) return { ...result, cell: { ...cell, atRest: false }, restless: rest.why };
    for (const record of records) {
      const { doubt, rest: again } = await resolveDoubt(stage, record, comeToRest);
      doubts.push(doubt);
      if (!again.reached)
        return { ...result, cell: { ...cell, atRest: false }, restless: again.why };
    }
    return { ...result, cell };
  } finally {
    await stage.close();
  }
}

/** Schedules one delivery notice, as often as the producer made the mistake. */
async function schedule({ queue }: Stage, copies: number): Promise<void> {
  const data = { orderId: '4711', to: 'customer@example.net' };
  const opts = {
    delay: DELAY_MS,
    attempts: ATTEMPTS,
    backoff: { type: 'fixed', delay: BACKOFF_MS },
  };
  await queue.addBulk(
    Array.from({ length: copies }, () => ({ name: 'delivery-notice', data, opts })),
  );
}
