import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from './page.ts';

const rowsOf = (file: string) =>
  readFileSync(`${root}docs/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

/** The columns of the comparison, as the measured table calls them. */
const systems = [
  'sendonce, redis',
  'BullMQ, jobId',
  'BullMQ, deduplication',
  'SET NX, a lease',
  'redlock',
  'pg advisory lock',
  'Powertools idempotency',
  'node-idempotency',
];

test('the faults of the comparison are those that were measured', () => {
  const [head = [], , ...measured] = rowsOf('peers.md');
  const faults = measured.filter((row) => row.length === head.length);
  expect(faults.length).toBeGreaterThan(15);
  const columns = [0, ...systems.map((system) => head.indexOf(system))];
  const expected = faults.map((row) => columns.map((column) => row[column]));
  const rows = rowsOf('comparison.md');
  const start = rows.findIndex(([first]) => first === 'fault') + 2;
  expect(rows.slice(start, start + expected.length)).toEqual(expected);
});
