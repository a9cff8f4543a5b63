import { createPaint } from '@sendonce/testkit/colours';
import { sampleOfRun } from '@sendonce/testkit/vitest';
import { beforeAll, describe, expect, it } from 'vitest';
import { ledgerNames } from '../src/systems/names.ts';
import { walkerBundle } from '../src/walk/bundle.ts';
import { plainScenarios, scenarios } from '../src/walk/scenarios.ts';
import { stalePlaces } from '../src/walk/reasons.ts';
import { tableOf } from '../src/walk/table.ts';
import { NO_REASON, unreachedOf } from '../src/walk/unreached.ts';
import { type Walk, walk } from '../src/walk/walk.ts';

const violationsOf = ({ undisturbed, cases }: Walk) =>
  [...undisturbed, ...cases]
    .filter(({ violation }) => violation)
    .map(({ scenario, aim, outcome, history }) => [scenario.name, aim?.point, outcome, history]);

/** Otherwise it strikes at every place: 285 processes die, and not 100. */
const sample = sampleOfRun();
const isMuch = (all: number, sampled: number) => (sample === undefined ? all : sampled);

describe.each(ledgerNames)('the walk over all points, %s', (system) => {
  let walked: Walk;

  beforeAll(async () => {
    walked = await walk({ system, scenarios, struck: plainScenarios, action: 'kill', sample });
  }, 600_000);

  it('finds no violation wherever a worker is killed on the plain ways', () => {
    expect(violationsOf(walked)).toEqual([]);
    const outcomes = new Set(walked.cases.map(({ outcome }) => outcome));
    // Killed between dispatch and settle, and before and after.
    expect(outcomes).toEqual(new Set(['sent once', 'in doubt, listed']));
    const struck = walked.cases.filter(({ struckAt }) => struckAt !== undefined);
    expect(struck.length).toBeGreaterThan(isMuch(60, 25));
  });

  it('passes every await of the wrapper in some scenario, or knows why not', () => {
    expect(walked.undisturbed.length).toBeGreaterThan(40);
    expect(unreachedOf(walked).find(({ why }) => why === NO_REASON)).toBeUndefined();
  });
});

it('finds no violation wherever a worker is frozen past all leases on its way to the mail server', async () => {
  const [atSend] = plainScenarios;
  const walked = await walk({ system: 'redis', scenarios: [atSend!], action: 'stop', sample });
  expect(violationsOf(walked)).toEqual([]);
  expect(walked.cases.filter(({ struckAt }) => struckAt !== undefined).length).toBeGreaterThan(
    isMuch(40, 10),
  );
}, 300_000);

it('gives no reason for an await that does not exist', async () => {
  const { names } = await walkerBundle();
  expect(stalePlaces(names)).toEqual([]);
  // Named by folder and file, so that files of the same name differ.
  expect([...names].some((name) => name.startsWith('core attempt/perform performWith(): '))).toBe(
    true,
  );
  expect(stalePlaces(new Set()).length).toBeGreaterThan(40);
});

describe('what the walk sees', () => {
  it('finds what a SET NX with a lease does: an email that leaves twice', async () => {
    const [atSend] = plainScenarios;
    const walked = await walk({ system: 'set-nx-lease', scenarios: [atSend!], action: 'kill' });
    const outcomes = new Set(walked.cases.map(({ outcome }) => outcome));
    expect(outcomes).toContain('sent twice');
    const table = tableOf([walked], createPaint(false));
    expect(table).toContain('torture systems/set-nx');
    expect(table).toMatch(/WRONG/);
  }, 120_000);
});
