import { describe, expect, test, vi } from 'vitest';
import { parseArguments } from '../src/arguments.ts';
import type { Doubt } from '../src/doubts.ts';
import { type GuardId, guardIds } from '../src/guards.ts';
import type { LaneEvent } from '../src/messages.ts';
import { renderHeadline } from '../src/headline.ts';
import { renderReport } from '../src/report/report.ts';
import type { Cell, CellResult } from '../src/run-cell.ts';
import { type ScenarioId, scenarioIds } from '../src/scenarios.ts';
import { createPaint, wantsColour } from '@sendonce/testkit/colours';
import { createProgress } from '../src/terminal/progress.ts';
import { renderTable } from '../src/terminal/table.ts';
import { isPromiseKept } from '../src/verdict.ts';
import { checkHtml } from './check-html.ts';

function resultOf(scenario: ScenarioId, guard: GuardId, figures: Partial<Cell> = {}): CellResult {
  const cell = { scenario, guard, wanted: 1, arrived: 1, lost: 0, inDoubt: 0, ...figures };
  const at = (kind: LaneEvent['kind'], atMs: number): LaneEvent => ({ kind, worker: 2, atMs });
  const events = [at('start', 100), at('claim', 101), at('email', 102), at('kill', 102)];
  return { cell, workers: 32, events, startMs: 0, endMs: 900, doubts: [] };
}

const all = scenarioIds.flatMap((scenario) => guardIds.map((guard) => resultOf(scenario, guard)));
const table = { results: all, scenarios: scenarioIds, guards: guardIds, workers: 32 };

describe('the table', () => {
  const paint = createPaint(false);

  test('every figure is below the end of its heading', () => {
    const lines = renderTable({ ...table, paint, columns: 120 }).split('\n');
    const heading = lines.find((line) => line.startsWith('guard')) ?? '';
    const row = lines.find((line) => line.startsWith('none')) ?? '';
    const endsIn = (line: string) => [...line.matchAll(/\S(?=\s{2}|$)/g)].map(({ index }) => index);
    expect(endsIn(row).slice(1)).toEqual(endsIn(heading).slice(1));
    expect(endsIn(row)).toHaveLength(9);
  });

  test('is cut into several where the terminal is narrow', () => {
    const lines = renderTable({ ...table, paint, columns: 60 }).split('\n');
    expect(lines.filter((line) => /^sendonce {2}/.test(line))).toHaveLength(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('colours what is right and what is wrong', () => {
    const results = [resultOf('copies', 'none', { arrived: 32 }), resultOf('copies', 'sendonce')];
    const text = renderTable({ ...table, results, paint: createPaint(true), columns: 120 });
    expect(text).toContain(`\u001B[31m${'✗ 32'.padStart(10)}\u001B[0m`);
    expect(text).toContain(`\u001B[32m${'✓ 1'.padStart(10)}\u001B[0m`);
  });
});

test('colours: NO_COLOR wins over FORCE_COLOR, and that over the terminal', () => {
  expect(wantsColour({ isTTY: true }, {})).toBe(true);
  expect(wantsColour({}, {})).toBe(false);
  expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true);
  expect(wantsColour({ isTTY: true }, { FORCE_COLOR: '0' })).toBe(false);
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
});

test('the page is well formed and escapes what it shows', () => {
  const nasty = '<b>"&\'';
  const doubt: Doubt = {
    cell: 'killed-after-sendonce',
    record: {
      key: nasty,
      state: 'in-doubt',
      token: 't',
      atMs: 0,
      job: { queue: nasty, id: nasty },
      note: nasty,
    },
    verdict: 'sent',
    retried: nasty,
    arrived: 1,
  };
  const results = [...all.slice(0, -1), { ...all.at(-1)!, doubts: [doubt] }];
  const page = renderReport({ ...table, results, seconds: 70 });
  checkHtml(page);
  expect(page).not.toContain('<b>');
  expect(page).toContain('&lt;b&gt;&quot;&amp;&#39;');
});

describe('progress', () => {
  test('a step that takes longer than ten seconds is shown again until it is done', () => {
    vi.useFakeTimers();
    try {
      const lines: string[] = [];
      const output = { write: (text: string) => lines.push(text) };
      const progress = createProgress(output, output);
      progress.expect(2);
      progress.begin({ scenario: 'copies', guard: 'none' });
      vi.advanceTimersByTime(9_000);
      expect(lines).toEqual([]);
      vi.advanceTimersByTime(12_000);
      expect(lines).toEqual([
        '0/2  10 s  copies / none: still running\n',
        '0/2  20 s  copies / none: still running\n',
      ]);
      progress.done(resultOf('copies', 'none').cell);
      progress.clear();
      vi.advanceTimersByTime(60_000);
      expect(lines).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a cell that did not come to rest says so', () => {
    const lines: string[] = [];
    const output = { write: (text: string) => lines.push(text) };
    const cell = resultOf('copies', 'none', { atRest: false }).cell;
    createProgress(output, output).done(cell);
    expect(lines.join('')).toMatch(/copies \/ none: \? did not come to rest/);
  });
});

test('the headline waits for figures that are the last ones', () => {
  const none = (figures: Partial<Cell>) => resultOf('copies', 'none', { arrived: 32, ...figures });
  const own = resultOf('copies', 'sendonce');
  expect(renderHeadline([none({}), own], 32)).toBe(
    '32 workers, 32 copies of one job: 32 emails without a guard, 1 email with sendonce.',
  );
  expect(renderHeadline([none({ atRest: false }), own], 32)).toBeUndefined();
  expect(renderHeadline([own], 32)).toBeUndefined();
});

test('a cell that did not come to rest is no figure: neither right nor wrong', () => {
  const restless = resultOf('copies', 'none', { atRest: false, arrived: 7 });
  const text = renderTable({
    ...table,
    results: [restless],
    paint: createPaint(true),
    columns: 120,
  });
  expect(text).toContain(`\u001B[33m${'? 7'.padStart(10)}\u001B[0m`);
  const page = renderReport({ ...table, results: [restless], seconds: 70 });
  expect(page).toContain('? 7 emails');
  expect(page).not.toContain('✗ 7');
});

describe('the promise', () => {
  test('is not known to be kept where a row of sendonce did not come to rest', () => {
    expect(isPromiseKept([resultOf('copies', 'sendonce', { atRest: false })])).toBe(false);
    expect(isPromiseKept([resultOf('copies', 'none', { atRest: false })])).toBe(true);
  });

  test('the promise is kept with one unavoidable doubt', () => {
    expect(isPromiseKept([resultOf('killed-after', 'sendonce', { inDoubt: 1 })])).toBe(true);
  });

  test.each<[string, CellResult]>([
    ['twice', resultOf('copies', 'sendonce', { arrived: 2 })],
    ['lost', resultOf('copies', 'sendonce', { arrived: 0, lost: 1 })],
    ['a doubt elsewhere', resultOf('copies', 'sendonce', { inDoubt: 1 })],
  ])('is broken by: %s', (_what, result) => {
    expect(isPromiseKept([result])).toBe(false);
  });

  test('is not about the other rows', () => {
    expect(isPromiseKept([resultOf('copies', 'none', { arrived: 32 })])).toBe(true);
  });
});

describe('arguments', () => {
  test('all cells and 32 workers by default', () => {
    const { scenarios, guards, workers, json } = parseArguments([]);
    expect({ scenarios, guards, workers, json }).toEqual({
      scenarios: scenarioIds,
      guards: guardIds,
      workers: 32,
      json: false,
    });
  });

  test('several ids by repetition or commas, in the order of the table', () => {
    const { scenarios } = parseArguments(['--scenario', 'frozen', '--scenario=lost-reply,copies']);
    expect(scenarios).toEqual(['copies', 'frozen', 'lost-reply']);
  });

  test('a leading "--" is left out', () => {
    expect(parseArguments(['--', '--json']).json).toBe(true);
  });

  test.each([
    [['--workers', '0'], /Wrong --workers "0"[^]*1 to 64/],
    [['--workers', '65'], /1 to 64/],
    [['--workers', '3.5'], /Wrong --workers "3.5"/],
    [['--scenario', 'flood'], /Unknown --scenario "flood"[^]*copies, blocked, killed-after/],
    [['--guard', ''], /Unknown --guard ""/],
    [['--colour'], /Allowed: --scenario, --guard/],
    [['copies'], /Allowed: --scenario/],
  ])('%j is refused', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
  });
});
