import { setTimeout as sleep } from 'node:timers/promises';
import { lineOf } from '../history.ts';
import type { Aim } from '../points/runtime.ts';
import { type Judgement, judgeCase, type SeenState } from './judge.ts';
import type { Visit } from './messages.ts';
import type { Walker } from './pool.ts';
import type { Scenario } from './scenarios.ts';
import { type CaseStage, type Place, stageCase, timing } from './stage-case.ts';

/** How long a case may take; then it counts as one that never ends. */
const PATIENCE_MS = 60_000;
/**
 * How long a process is stopped if no other one can take over: long after its lease, when it is in
 * doubt.
 */
const FROZEN_MS = 3 * timing.leaseMs;
/** What a process wrote before it died is with the server by then. */
const ARRIVAL_MS = 50;

export interface Case {
  readonly scenario: Scenario;
  /** Missing: nothing is struck. */
  readonly aim?: Aim;
}

export interface CaseResult extends Case, Judgement {
  /** What was passed, where nothing was struck. */
  readonly visits: readonly Visit[];
  /** Missing where the point was not passed this time. */
  readonly struckAt: string | undefined;
  readonly seenState: SeenState | undefined;
  readonly history: readonly string[];
}

/**
 * One email on its way; the process that sends it is struck at one point, and another one takes
 * over.
 */
export async function runCase({ scenario, aim }: Case, place: Place): Promise<CaseResult> {
  const { pool, lane } = place;
  const stage = await stageCase(scenario, place);
  const { email, key, ledger, queue, isOver } = stage;
  const first = await stage.begin(aim);
  let ends = await becomes(async () => first.struckAt() !== undefined || (await isOver()));

  const struckAt = first.struckAt();
  let seenState: SeenState | undefined;
  let visits: readonly Visit[] = [];
  if (aim && struckAt !== undefined) {
    await (aim.action === 'kill' ? first.process.exited : first.process.stopped());
    stage.note(first.process.name, `${aim.action === 'kill' ? 'killed' : 'stopped'} ${struckAt}`);
    seenState = await readSeenState(scenario, stage);
    const second = await stage.begin();
    if (aim.action === 'stop') await wake(first, stage);
    ends = await becomes(isOver);
    await second.end();
    pool.putBack(second);
  } else {
    // What it does after its email may still be struck: a stopped process never ends its task.
    let passed: readonly Visit[] | undefined;
    void first.end().then((all) => (passed = all));
    await becomes(async () => passed !== undefined || first.struckAt() !== undefined);
    visits = passed ?? [];
  }
  // Where it was aimed at and missed, the aim is still in it.
  if (aim) await pool.retire(first);
  else pool.putBack(first);

  const evidence = { deliveries: lane.deliveries, queue, ledger };
  const lost = lane.history.stepsOf(email.number).some(({ what }) => what === 'lost');
  const judged = await judgeCase({ scenario, email, key, seenState, lost }, evidence);
  await endDoubt(stage);
  await stage.close();
  const history = lane.history.of(email.number).map(lineOf);
  const found = ends ? judged : { ...judged, outcome: 'never ends' as const, violation: true };
  return { scenario, ...(aim && { aim }), ...found, visits, struckAt, seenState, history };
}

async function readSeenState(
  scenario: Scenario,
  { ledger, key, note }: CaseStage,
): Promise<SeenState> {
  await sleep(ARRIVAL_MS);
  // The question would create a new ledger, and a stalled network delivers more commands later.
  const mayAsk = ledger && !scenario.first && !scenario.network;
  const seenState = mayAsk ? ((await ledger.read(key))?.state ?? 'absent') : 'not asked';
  note('ledger', seenState);
  return seenState;
}

/** Continues a process that was stopped while another one took over, or tried to. */
async function wake(walker: Walker, { isOver, note }: CaseStage): Promise<void> {
  await becomes(isOver, FROZEN_MS);
  note(walker.process.name, 'continues');
  walker.process.continue();
  // It ends what it had begun before it says so.
  await walker.end();
}

/** Waits for it; false when it takes too long. */
async function becomes(is: () => Promise<boolean>, withinMs = PATIENCE_MS): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await is())) {
    if (performance.now() > deadlineMs) return false;
    await sleep(40);
  }
  return true;
}

/** Resolves the doubt as a person would, so that the list of doubts stays short. */
async function endDoubt({ ledger, key }: CaseStage): Promise<void> {
  const record = await ledger?.read(key);
  if (!ledger || record?.state !== 'in-doubt') return;
  const { token } = record;
  await ledger.resolve({ key, token, verdict: 'sent', by: 'the walk', retentionMs: 60_000 });
}
