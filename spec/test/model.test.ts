import { sampleOf } from '@sendonce/testkit/sample';
import { sampleOfRun } from '@sendonce/testkit/vitest';
import { beforeAll, describe, expect, test } from 'vitest';
import { checks, isSearched, missingTools, runCheck } from '../model/check.ts';

let missing: string[] = [];
beforeAll(async () => {
  missing = await missingTools();
});

const searched = await isSearched();
const sample = sampleOfRun();
const mutants = checks.filter(({ breaks }) => breaks !== undefined);
const chosen = new Set(
  sample === undefined
    ? checks
    : [
        ...sampleOf(mutants, { name: 'mutants of the protocol', oneIn: 5, sample }),
        ...checks.filter(({ breaks }) => breaks === undefined && !searched),
      ],
);

test('all states of this protocol.pml were searched', () => {
  expect(
    searched,
    'protocol.pml has changed: run npx -y pnpm model, and commit what it writes',
  ).toBe(true);
});

describe('the protocol, in all its states', () => {
  for (const check of checks) {
    (chosen.has(check) ? test.concurrent : test.concurrent.skip)(
      check.name,
      async () => {
        // Without CI a machine may do without them; there the check must run.
        if (missing.length > 0 && !process.env['CI']) {
          console.warn(`Not checked, ${missing.join(' and ')} missing: apt-get install spin gcc`);
          return;
        }
        const { broke, steps } = await runCheck(check);
        expect(broke, steps.join('\n')).toBe(check.breaks);
      },
      // 90 s alone; the machine may have other work.
      900_000,
    );
  }
});
