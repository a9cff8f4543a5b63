import { expect, test } from 'vitest';
import { makeReports, outdatedReports } from '../site/api-report.ts';
import { root } from '../site/repository.ts';

test('the committed API reports say what the packages export', { timeout: 600_000 }, () => {
  const reports = makeReports();
  // If this fails, run `pnpm api` and look at the change: users see it too.
  expect(outdatedReports(reports)).toEqual([]);

  const file = 'packages/core/generated/core.api.d.ts';
  const changed = reports.get(file)!.replace('export function perform<', 'export function run<');
  expect(outdatedReports(new Map([...reports, [file, changed]]))).toEqual([
    `${file} is out of date.`,
  ]);
  // The reports are the same in every checkout.
  expect([...reports.values()].join('')).not.toContain(root);
  expect(reports.get('packages/bullmq/generated/bullmq.api.d.ts')).toContain(
    'export { InDoubtError }',
  );
});
