import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { UsageError } from '@sendonce/testkit/command-line';
import { parseCompareArguments } from '../compare/arguments.ts';
import { measureRounds, type Sides } from '../compare/measure-rounds.ts';
import { isLower, renderComparison } from '../compare/render.ts';
import { runScript } from './run-bench.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const silent = { step() {}, show() {}, clear() {} };

test('a pair runs one directly after the other, and takes turns in being first', async () => {
  const order: string[] = [];
  const side = (name: string, ratio: number) => async () => {
    order.push(name);
    return { 'before-processor': ratio, 'at-send': ratio / 2 };
  };
  const sides: Sides = { before: side('before', 0.8), after: side('after', 0.6) };
  const plan = { rounds: 3, processors: ['noop'], setups: ['1'], jobs: 20 } as const;
  const cells = await measureRounds(plan, sides, silent);
  expect(order).toEqual(['before', 'after', 'after', 'before', 'before', 'after']);
  expect(cells.map(({ system, before, after }) => [system, before, after])).toEqual([
    ['before-processor', [0.8, 0.8, 0.8], [0.6, 0.6, 0.6]],
    ['at-send', [0.4, 0.4, 0.4], [0.3, 0.3, 0.3]],
  ]);
  const table = renderComparison(cells);
  expect(table).toMatch(
    /^before-processor, noop, concurrency 1 +0\.800 .* +0\.600 .* +0\.750 .*LOWER$/m,
  );
  expect(table).toContain('2 of 2 cells are LOWER.');
});

test.each([
  ['lower in every round', [0.8, 0.82, 0.81], [0.7, 0.71, 0.69], true],
  ['higher', [0.7, 0.71, 0.69], [0.8, 0.82, 0.81], false],
  ['within the spread before', [0.6, 0.82, 0.81], [0.7, 0.71, 0.69], false],
  ['within the spread after', [0.8, 0.82, 0.81], [0.7, 0.9, 0.69], false],
])('an "after" that is %s', (_what, before, after, expected) => {
  expect(isLower({ before, after })).toBe(expected);
});

test.each([
  [[], /Give the folder of one other checkout/],
  [['/tmp', '/var'], /Give the folder of one other checkout/],
  [['/nowhere'], /"\/nowhere" is no checkout of sendonce: it has no bench\/run\.ts/],
  [[checkout, '--rounds', '0'], /Wrong --rounds "0"/],
  [[checkout, '--setups', '2'], /Unknown --setups "2"/],
])('%j is refused', (argv, message) => {
  expect(() => parseCompareArguments(argv)).toThrow(UsageError);
  expect(() => parseCompareArguments(argv)).toThrow(message);
});

test('this checkout is compared with itself', async () => {
  const few = ['--rounds', '1', '--jobs', '20', '--processors', 'noop', '--setups', '16'];
  const { code, stdout, stderr } = await runScript('compare.ts', checkout, ...few);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^at-send, noop, concurrency 16( +\d\.\d{3} \(\d\.\d{3}-\d\.\d{3}\)){3}/m);
}, 90_000);
