import type { Paint } from '@sendonce/testkit/colours';
import { lineOf } from '../history.ts';
import type { Run } from '../run.ts';
import type { Soak } from '../soak.ts';

const FULL_VIOLATIONS = 3;

/** What a run found, for a terminal. */
export function summaryOf(run: Run, command: string, paint: Paint): string {
  const { violations } = run;
  const rows: [string, number, keyof Paint][] = [
    ['sent once', run.sentOnce, 'green'],
    ['rejected', run.rejected, 'green'],
    ['skipped', run.skipped, 'green'],
    ['cancelled', run.cancelled, 'green'],
    ['in doubt, listed', run.inDoubtListed, 'yellow'],
    ['violations', violations.length, violations.length > 0 ? 'red' : 'green'],
  ];
  return [
    '',
    paint.bold(`${run.system}: ${run.emails} emails, ${run.jobs} jobs, ${run.workers} workers`),
    ...rows.map(([name, count, style]) => `  ${paint[style](aligned(name, count))}`),
    '',
    ...faultsOf(run).map(([name, count]) => paint.dim(`  ${aligned(name, count)}`)),
    '',
    ...violations
      .slice(0, FULL_VIOLATIONS)
      .flatMap(({ email, verdict, found, history }) => [
        paint.red(`email ${email}, ${verdict}: ${found}`),
        ...history.map((event) => `  ${lineOf(event)}`),
        '',
      ]),
    `${(run.tookMs / 1_000).toFixed(0)} s. Again: ${command}`,
    '',
  ].join('\n');
}

/** Every fault of a run with its number. */
export function faultsOf(run: Run): [string, number][] {
  return [
    ...Object.entries(run.faults).toSorted(([one], [other]) => one.localeCompare(other)),
    ['broken mail conversations', run.mailFaults],
    ['doubts resolved by a person', run.resolvedByPerson],
    ['delayed jobs moved', run.moves],
    ['worker processes started', run.processes],
  ];
}

/** How a soak ended. */
export function soakSummaryOf({ growth, flat, ...end }: Soak, paint: Paint): string {
  const rows = Object.entries(growth).map(
    ([name, { from, to }]) =>
      `  ${name.padEnd(12)}${round(from).padStart(9)}${round(to).padStart(9)}`,
  );
  return [
    '',
    paint.bold(`${end.ledger}, medians  2nd quarter  last quarter`),
    ...rows,
    `  keys when every retention was over: ${end.keysAtTheEnd}, in doubt: ${end.inDoubtAtTheEnd}`,
    flat ? paint.green('  flat') : paint.red('  grows'),
    '',
  ].join('\n');
}

export function round(number: number): string {
  return Number.isInteger(number) ? String(number) : number.toFixed(1);
}

function aligned(name: string, count: number): string {
  return `${name.padEnd(28)}${String(count).padStart(7)}`;
}
