import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LedgerUnderTest } from '../topic.ts';
import { checkLedger, type ModelRun } from './check-ledger.ts';

/** The options of {@link describeModel}. */
export interface DescribeModelOptions extends Pick<ModelRun, 'lanes' | 'byMajority'> {
  /**
   * How many scenarios each of the two tests runs. SENDONCE_RUNS in the environment overrides it.
   */
  readonly runs: number;
}

const WITHIN_MS = 8_000;
const LONG_MS = 3_600_000;

/**
 * Registers two vitest tests that run random scenarios on a ledger, and compare it with a small
 * reference of the contract.
 *
 * @example describeModel('the memory ledger', () => memoryUnderTest(), { runs: 1_000 })
 */
export function describeModel(
  name: string,
  create: () => LedgerUnderTest | Promise<LedgerUnderTest>,
  options: DescribeModelOptions,
): void {
  const { SENDONCE_SEED, SENDONCE_PATH: path, SENDONCE_RUNS } = process.env;
  const seed = Number(SENDONCE_SEED ?? randomInt(2 ** 30));
  const runs = Number(SENDONCE_RUNS ?? options.runs);
  // Only a run that was asked for has no time limit.
  const withinMs = (SENDONCE_RUNS ?? path) ? LONG_MS : WITHIN_MS;

  describe(`${name} and the reference (SENDONCE_SEED=${seed})`, () => {
    let underTest: LedgerUnderTest | undefined;
    beforeAll(async () => {
      underTest = await create();
    });
    afterAll(() => underTest?.close?.());

    const kinds = [
      { title: 'agree on every sequence of commands', atOnce: false },
      { title: 'agree on some order of commands that run at once', atOnce: true },
    ];
    for (const { title, atOnce } of kinds) {
      test(title, { timeout: withinMs + 60_000 }, async () => {
        if (!underTest) throw new Error('The ledger under test was not created.');
        const run = { ...options, atOnce, runs, seed, path, withinMs };
        const checked = await checkLedger(underTest, run);
        // Under load there are fewer scenarios, but not none.
        expect(checked.runs).toBeGreaterThan(0);
        // "Could not answer" is allowed, but a ledger that says nothing else is not tested.
        expect(checked.unanswered).toBeLessThan(checked.asked / 2);
      });
    }
  });
}
