/**
 * Counts what a person has to do when a provider was down for an hour while 2,000 emails were due:
 * real BullMQ jobs on a real Redis, a provider that fails, and the command line. An hour is a
 * minute here: the backoff of the jobs and the times of the provider are scaled in the same way.
 *
 *     pnpm torture:provider-down              2,000 emails, 60 s for the hour
 *     pnpm torture:provider-down 200 10       200 emails, 10 s for the hour
 */
import { startRedis } from '@sendonce/testkit';
import { outages, type Setting, settings } from './outages.ts';
import { type Result, spendAnHour } from './spend-an-hour.ts';

const [emails = 2000, hourSeconds = 60] = process.argv.slice(2).map(Number);
for (const number of [emails, hourSeconds]) {
  if (!Number.isInteger(number) || number < 1) throw new RangeError('Expected whole numbers.');
}

const columns = ['outage', 'provider', 'doubts', 'failed', 'commands', 'once', 'twice', 'none'];
const server = await startRedis({ appendOnly: true });
const rows: string[][] = [];
try {
  for (const outage of outages) {
    for (const setting of settings) {
      process.stderr.write(`${outage.name}, ${setting.name}\n`);
      const size = { emails, hourMs: hourSeconds * 1000 };
      rows.push(
        rowOf(outage.name, setting, await spendAnHour(server.url, { outage, setting, size })),
      );
    }
  }
} finally {
  await server.stop();
}
const widths = columns.map((title, at) =>
  Math.max(title.length, ...rows.map((row) => row[at]!.length)),
);
for (const row of [columns, ...rows]) {
  console.log(`| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`);
}
// Never twice, and never none that is not listed.
if (rows.some((row) => row[6] !== '0' || row[7] !== '0')) process.exitCode = 1;
process.exit();

function rowOf(outage: string, setting: Setting, result: Result): string[] {
  const { doubts, failed, commands, once, twice, none } = result;
  return [outage, setting.name, ...[doubts, failed, commands, once, twice, none].map(String)];
}
