import type { SystemName } from '../systems/names.ts';
import { walkerBundle } from './bundle.ts';
import { startLane } from './lane.ts';
import { planCases, sampleCases } from './plan-cases.ts';
import { startPool } from './pool.ts';
import { type Case, type CaseResult, runCase } from './run-case.ts';
import type { Scenario } from './scenarios.ts';
import { startServers } from './servers.ts';
import type { Place } from './stage-case.ts';

/** More wait than work: for locks and leases of the dead. */
const LANES = 14;
/** More of them would mostly die unused, and a start costs more than a case. */
const WARM = 2;

export interface WalkOptions {
  readonly system: SystemName;
  readonly scenarios: readonly Scenario[];
  /** Those of them in which a process is struck; the others only run. @default all */
  readonly struck?: readonly Scenario[];
  readonly action: 'kill' | 'stop';
  /** Only points with this in their name. */
  readonly point?: string | undefined;
  /** Strikes at each kind of await once, at the places of this sample. @default all places */
  readonly sample?: string | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface Walk {
  readonly system: SystemName;
  /** Each scenario once, with nothing struck. */
  readonly undisturbed: readonly CaseResult[];
  readonly cases: readonly CaseResult[];
  readonly names: ReadonlySet<string>;
  readonly processes: number;
  readonly tookMs: number;
}

/** Runs all scenarios, records which points they pass, and strikes at each of them. */
export async function walk(options: WalkOptions): Promise<Walk> {
  const { system, action, point, sample, onProgress } = options;
  const startedMs = performance.now();
  const { names } = await walkerBundle();
  const steps: (() => Promise<unknown>)[] = [];
  try {
    const servers = await startServers(system);
    steps.push(servers.close);
    const pool = await startPool(WARM);
    steps.push(pool.close);
    const lanes = await Promise.all(Array.from({ length: LANES }, () => startLane(servers)));
    steps.push(...lanes.map(({ close }) => close));
    const places = lanes.map((lane): Place => ({ servers, pool, lane }));

    const scenarios = options.scenarios.filter(
      ({ only, resolver }) =>
        (!only || only === system) &&
        // Its answer "not sent" would be wrong about a frozen sender, which may still send.
        (!resolver || action === 'kill'),
    );
    const undisturbed = await runAll(
      scenarios.map((scenario) => ({ scenario })),
      places,
    );
    const { struck = scenarios } = options;
    const aimedAt = undisturbed.filter(({ scenario }) => struck.includes(scenario));
    const planned = planCases(aimedAt, action).filter(
      ({ aim }) => !point || aim?.point?.includes(point),
    );
    const chosen = sample === undefined ? planned : sampleCases(planned, sample);
    const cases = await runAll(chosen, places, onProgress);
    return {
      system,
      undisturbed,
      cases,
      names,
      processes: pool.starts,
      tookMs: performance.now() - startedMs,
    };
  } finally {
    for (const step of steps.toReversed()) await step().catch(() => {});
  }
}

async function runAll(
  cases: readonly Case[],
  places: readonly Place[],
  onProgress?: (done: number, of: number) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const left = [...cases.entries()];
  let done = 0;
  await Promise.all(
    places.map(async (place) => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [index, one] = next;
        results[index] = await runCase(one, place);
        onProgress?.((done += 1), cases.length);
      }
    }),
  );
  return results;
}
