import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseArguments } from '../arguments.ts';
import { systemNames, usualProcessors } from '../names.ts';
import type { Results } from '../results.ts';
import { killRunning, runBench } from './run-bench.ts';

afterAll(killRunning);

describe('the benchmark, in its own process', () => {
  test('measures every system, and --json prints one object and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sendonce-bench-test-'));
    const picture = join(folder, 'ratios.svg');
    const tiny = ['--jobs', '20', '--rounds', '1', '--records', '1000,2000,3000'];
    const { code, stdout, stderr } = await runBench('--json', ...tiny, '--picture', picture);
    expect(code, stderr).toBe(0);
    const results = JSON.parse(stdout) as Results;

    const wanted = usualProcessors.flatMap((processor) =>
      [1, 16, 64, '32 workers'].flatMap((concurrency) =>
        systemNames.map((system) => `${system}, ${processor}, ${concurrency}`),
      ),
    );
    const measured = results.cells.map(
      ({ system, processor, concurrency }) => `${system}, ${processor}, ${concurrency}`,
    );
    expect(measured).toEqual(wanted);
    expect(Object.keys(results.commandsPerEmail)).toEqual(systemNames);
    expect(Object.keys(results.wireBytesPerEmail)).toEqual(systemNames);
    expect(results.claimLatency.map(({ records }) => records)).toEqual([1000, 2000, 3000]);
    expect(Object.keys(results.bytesPerEmail)).toHaveLength(4);
    expect(results.looks.map(({ question }) => question)).toEqual([
      'overview',
      'by label',
      'by key',
    ]);
    expect(results.schedules.map(({ call }) => call)).toEqual([
      'schedule, one at a time',
      'schedule, 50 at a time',
      'scheduleBulk',
      'statusBulk',
      'rescheduleBulk',
      'cancelBulk',
    ]);
    // A queue on PostgreSQL calls no scripts of Redis.
    const { cpuCosts, ...others } = results;
    for (const number of numbersIn(others)) expect(number).toBeGreaterThan(0);
    expect(cpuCosts).toHaveLength(3 * (4 + 2));
    for (const { workerUs, throughput } of cpuCosts) {
      expect(workerUs).toBeGreaterThan(0);
      expect(throughput.median).toBeGreaterThan(0);
    }
    expect(results.commandsPerEmail['before-processor']).toBeCloseTo(2, 0);
    expect(results.commandsPerEmail['set-nx']).toBeCloseTo(1, 0);
    expect(results.commandsPerEmail['three-sets']).toBeCloseTo(3, 0);

    const svg = await readFile(picture, 'utf8');
    await rm(folder, { recursive: true });
    expect(svg.match(/class="spread"/g)).toHaveLength(wanted.length);
    expect(svg).not.toMatch(/NaN|undefined|<script|url\(|href=/);
  }, 240_000);

  test('a wrong command line is an error on stderr, with exit code 1', async () => {
    const { code, stdout, stderr } = await runBench('throughputs', '--json');
    expect(stderr).toContain('Unknown part "throughputs".\nAllowed: throughput, cost, latency');
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });
});

test.each([
  [['--systems', 'redlock'], 'Unknown --systems "redlock".'],
  [['--processors', 'noop,10ms'], 'Unknown --processors "10ms".'],
  [['--setups', '32'], 'Unknown --setups "32".'],
  [['--jobs', '0'], 'Wrong --jobs "0".'],
  [['--rounds', '1.5'], 'Wrong --rounds "1.5".'],
  [['--records', '1000,'], 'Wrong --records "".'],
  [['cost', '--picture', 'ratios.svg'], '--picture shows throughput'],
  [['--job', '4'], "Unknown option '--job'"],
])('%j is refused', (argv, message) => {
  expect(() => parseArguments(argv)).toThrow(message);
});

test('words and names are taken in the order of the tables', () => {
  const args = parseArguments([
    'memory',
    'cost',
    '--systems',
    'set-nx,at-send',
    '--records',
    '9,3',
  ]);
  expect(args).toMatchObject({
    parts: ['cost', 'memory'],
    systems: ['at-send', 'set-nx'],
    records: [3, 9],
  });
});

/** All that was measured, with the counts of jobs and records. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  // What JSON makes of NaN.
  if (value === null) return [NaN];
  return typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}
