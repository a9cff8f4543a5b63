import { beforeAll, describe, expect, test } from 'vitest';
import { checks, missingTools, runCheck } from '../model/check.ts';

let missing: string[] = [];
beforeAll(async () => {
  missing = await missingTools();
});

describe('the protocol, in all its states', () => {
  test.concurrent.each(checks)(
    '$name',
    async (check) => {
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
});
