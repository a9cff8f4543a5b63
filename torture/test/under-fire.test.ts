import { randomInt } from 'node:crypto';
import { inThisRun } from '@sendonce/testkit/vitest';
import { describe, expect, test } from 'vitest';
import { lineOf } from '../src/history.ts';
import { type Run, run } from '../src/run.ts';
import { ledgerNames, type SystemName } from '../src/systems/names.ts';

const seed = Number(process.env['SENDONCE_SEED'] ?? randomInt(2 ** 31));

const long = { emails: 250, workers: 6, forMs: 15_000 };
const short = { emails: 120, workers: 6, forMs: 7_000 };

function underFire(system: SystemName, size = long): Promise<Run> {
  return run({ system, seed, ...size });
}

function storyOf({ violations }: Run): string {
  return violations
    .flatMap(({ email, verdict, found, history }) => [
      `email ${email}, ${verdict}: ${found}`,
      ...history.map(lineOf),
    ])
    .join('\n');
}

describe(`a short run (SENDONCE_SEED=${seed})`, () => {
  test.each(ledgerNames)(
    '%s: no email is sent twice or dropped silently',
    async (system) => {
      const result = await underFire(system, inThisRun({ all: long, sample: short }));
      expect(storyOf(result)).toBe('');
      const { emails, sentOnce, rejected, skipped, cancelled, inDoubtListed } = result;
      expect(sentOnce + rejected + skipped + cancelled + inDoubtListed).toBe(emails);
      expect(sentOnce).toBeGreaterThan(emails / 2);
    },
    180_000,
  );

  test('SET NX with a lease: the kit sees emails that left twice, or never', async () => {
    const { violations } = await underFire('set-nx-lease');
    const verdicts = new Set(violations.map(({ verdict }) => verdict));
    expect(verdicts.size).toBeGreaterThan(0);
    for (const verdict of verdicts) expect(['sent twice', 'lost']).toContain(verdict);
  }, 180_000);
});
