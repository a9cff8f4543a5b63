import type { Incident } from './incidents.ts';
import type { LaneEvent } from './messages.ts';
import { createRuns, type Runs } from './runs.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';
import type { CellListener, WorkerPool } from './worker-pool.ts';

/** What happens on a stage: the events for the picture, and when it is over. */
export interface Watch {
  readonly listener: CellListener;
  readonly events: LaneEvent[];
  /** Waits until all jobs are over and no run is under way, zombies included. */
  readonly comeToRest: () => Promise<Rest>;
}

/** Whether a cell came to rest in time, and what was still running if it did not. */
export type Rest = { readonly reached: true } | { readonly reached: false; readonly why: string };

/**
 * A cell that takes longer has not come to rest: its figures are marked, and the next cell begins.
 */
const AT_MOST_MS = 20_000;
/** For how long nothing must move. */
const REST_MS = 120;

export function watchStage(stage: Stage, pool: WorkerPool, incident: Incident): Watch {
  const events: LaneEvent[] = [];
  const runs = createRuns();
  let failure: Error | undefined;

  stage.smtp.onEmail(({ headers, atMs }) => {
    const worker = Number(headers['x-worker']);
    events.push({ kind: 'email', worker, atMs });
    if (stage.smtp.received.length === 1) incident.atFirstEmail?.(worker);
  });
  incident.onCut?.(() => events.push({ kind: 'cut', worker: runs.latest, atMs: Date.now() }));

  const listener: CellListener = {
    onEvent(event, run) {
      events.push(event);
      if (event.kind === 'start') runs.start(event.worker, run);
      if (event.kind === 'end') runs.end(event.worker, run);
    },
    onAboutToSend: firstIsSpecial(pool, incident),
    onGone: runs.forget,
    onFailure: (error) => (failure ??= error),
  };

  async function comeToRest(): Promise<Rest> {
    let restingSinceMs = Infinity;
    const rests = async () => {
      if (failure) throw failure;
      const quiet = (await stage.jobsAreOver()) && runs.open === 0;
      restingSinceMs = quiet ? Math.min(restingSinceMs, Date.now()) : Infinity;
      return Date.now() - restingSinceMs >= REST_MS;
    };
    if (await until(rests, AT_MOST_MS)) return { reached: true };
    return { reached: false, why: await describeRestless(stage, runs) };
  }
  return { listener, events, comeToRest };
}

/** Every run asks before it sends; the first one of a cell may meet the incident. */
function firstIsSpecial(pool: WorkerPool, incident: Incident): CellListener['onAboutToSend'] {
  let asked = false;
  const answer = async (worker: number, run: number) => {
    const meet = asked ? undefined : incident.atFirstSend;
    asked = true;
    const fate = meet ? await meet(worker) : {};
    if (fate !== 'killed') pool.send(worker, { type: 'go', run, ...fate });
  };
  return (worker, run) => void answer(worker, run);
}

async function describeRestless({ plan, queue }: Stage, runs: Runs): Promise<string> {
  const counts = JSON.stringify(await queue.getJobCounts());
  return (
    `${plan.id} did not come to rest within ${AT_MOST_MS / 1000} s. Jobs: ${counts}; runs under ` +
    `way: ${runs.open}. Is this machine very busy? Run the demo again.`
  );
}
