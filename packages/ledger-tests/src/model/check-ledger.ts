import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import * as fc from 'fast-check';
import type { LedgerUnderTest } from '../topic.ts';
import { type Scenario, scenarios } from './commands.ts';
import { type ModelSetup, runScenario } from './run-scenario.ts';
import { createReference } from './reference.ts';

/** How {@link checkLedger} runs its scenarios. */
export interface ModelRun {
  /** Whether commands run at the same time, too. */
  readonly atOnce: boolean;
  /** How many scenarios. */
  readonly runs: number;
  /** The same seed makes the same scenarios. */
  readonly seed: number;
  /** Where fast-check found a failure: runs that scenario first. */
  readonly path?: string | undefined;
  /** After so many milliseconds no further scenario begins. */
  readonly withinMs: number;
  /** How many scenarios run side by side: one mostly waits. @default 1 */
  readonly lanes?: number | undefined;
  /**
   * Whether the ledger asks many nodes. A claim that dispatches takes two steps there; of what runs
   * at once only what is granted must be explained, and what is stored afterwards; and one attempt
   * does one thing after the other (its heartbeats beside it), as `perform()` does. @default false
   */
  readonly byMajority?: boolean | undefined;
}

/**
 * Runs random scenarios on a ledger. Resolves with what was run, rejects with the shortest failing
 * scenario that was found, one line a step, and how to play it again.
 *
 * @example
 * await checkLedger(memoryUnderTest(), { atOnce: true, runs: 1_000, seed: 1, withinMs: 8_000 });
 */
export async function checkLedger(
  underTest: LedgerUnderTest,
  { atOnce, runs, seed, path, withinMs, lanes = 1, byMajority = false }: ModelRun,
): Promise<{ readonly runs: number; readonly asked: number; readonly unanswered: number }> {
  const setup = await setUp(underTest, byMajority);
  const arbitrary = scenarios({ atOnce });
  const count = path === undefined ? lanes : 1;
  const running = new Set<Promise<unknown>>();
  const runToEnd = (scenario: Scenario) => {
    const run = runScenario(setup, scenario);
    running.add(run);
    return run.finally(() => running.delete(run));
  };
  const checked = await Promise.all(
    Array.from({ length: count }, (_, lane) =>
      fc.check(fc.asyncProperty(arbitrary, runToEnd), {
        numRuns: Math.ceil(runs / count),
        seed: seed + lane,
        ...(path !== undefined && { path }),
        interruptAfterTimeLimit: withinMs,
      }),
    ),
  );
  // When the time is over, fast-check does not wait for the last ones. The next test has the same
  // ledger.
  await Promise.allSettled(running);
  // fast-check also calls a lane failed whose time was over before its first scenario was.
  const failed = checked.find((one) => one.failed && one.counterexample !== null);
  if (failed) throw failureOf(failed);
  return { runs: checked.reduce((sum, { numRuns }) => sum + numRuns, 0), ...setup.counts };
}

function failureOf({
  errorInstance,
  seed,
  counterexamplePath,
  numShrinks,
}: fc.RunDetails<[Scenario]>) {
  const steps = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const again = `SENDONCE_SEED=${seed} SENDONCE_PATH=${counterexamplePath}`;
  return new Error(
    `The ledger breaks the contract of Ledger in @sendonce/core (shrunk ${numShrinks} times):\n` +
      `${steps}\nTo run this again: ${again}`,
    { cause: errorInstance },
  );
}

const LONG_MS = 600_000;

async function setUp(underTest: LedgerUnderTest, byMajority: boolean): Promise<ModelSetup> {
  const { ledger, other, advance, fallSilent, lostReply, timeUnitMs = 200 } = underTest;
  let virtualMs = 0;
  const nowMs = () => (advance ? virtualMs : Date.now());
  const pass = async (ms: number) => {
    if (advance) await advance(ms);
    else await sleep(ms);
    virtualMs += ms;
  };
  const bySession = fallSilent !== undefined;
  return {
    reference: createReference({ bySession, byMajority }),
    ledgers: [ledger, other],
    byMajority,
    durations: { shortMs: timeUnitMs, longMs: LONG_MS },
    nowMs,
    offsetMs: await offsetOf(ledger, nowMs),
    async silence(leases) {
      await fallSilent?.(leases * timeUnitMs);
      await pass(leases * timeUnitMs);
      return bySession;
    },
    ...(lostReply && { lostReply }),
    counts: { asked: 0, unanswered: 0 },
  };
}

/** How far the ledger's clock is ahead of this one. */
async function offsetOf(ledger: Ledger, nowMs: () => number): Promise<number> {
  const probe = {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 60_000,
    retentionMs: 60_000,
  };
  const startedMs = nowMs();
  await ledger.claim(probe);
  const claimedMs = nowMs();
  const record = await ledger.read(probe.key);
  await ledger.release(probe);
  if (!record) return 0;
  // The same clock: nothing to correct, and no error from the time that the claim took.
  const same = startedMs <= record.atMs && record.atMs <= claimedMs;
  return same ? 0 : record.atMs - startedMs;
}
