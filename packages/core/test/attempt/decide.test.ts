import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/index.ts';
import {
  type ClaimFacts,
  decide,
  type EffectEnd,
  markAsNested,
  type Outcome,
  thrownVerdict,
} from '../../src/attempt/decide.ts';
import { NotSentError } from '../../src/index.ts';

const ends: readonly EffectEnd[] = ['returned', 'threw'];
const verdicts: readonly Verdict[] = ['sent', 'not-sent', 'refused', 'rejected', 'unknown'];
const reports = [undefined, ...verdicts];
const both = [true, false];

interface Combination extends ClaimFacts {
  readonly thrown: Verdict;
}

function allCombinations(): Combination[] {
  const all: Combination[] = [];
  for (const end of ends)
    for (const reported of reports)
      for (const thrown of verdicts)
        for (const isLost of both)
          for (const isDispatched of both)
            for (const isShared of both)
              all.push({ end, reported, thrown, isLost, isDispatched, isShared });
  return all;
}

/** A row holds where each of its columns holds. A column that is left out holds always. */
interface Row {
  readonly end?: readonly EffectEnd[];
  readonly reported?: readonly (Verdict | undefined)[];
  readonly thrown?: readonly Verdict[];
  readonly isLost: boolean;
  readonly isDispatched?: boolean;
  readonly isShared?: boolean;
  readonly outcome: Outcome;
}

const own = { isLost: false, isShared: false };
const shared = { isLost: false, isShared: true };
const unsent: readonly Verdict[] = ['not-sent', 'refused'];
const unknown: readonly Verdict[] = ['unknown'];
const silent = { reported: [undefined] };
const threw: readonly EffectEnd[] = ['threw'];
const returned: readonly EffectEnd[] = ['returned'];

const table: readonly Row[] = [
  { isLost: true, outcome: 'lost' },

  // The sender reported.
  { reported: ['sent'], isLost: false, outcome: 'sent' },
  { reported: unsent, ...own, outcome: 'not-sent' },
  { reported: ['rejected'], ...own, outcome: 'rejected' },
  { reported: unknown, ...own, outcome: 'in-doubt' },
  { reported: [...unsent, 'rejected', ...unknown], ...shared, outcome: 'in-doubt' },

  // Nothing was reported.
  { end: returned, ...silent, isLost: false, outcome: 'sent' },
  { end: threw, ...silent, isDispatched: false, ...own, outcome: 'not-sent' },
  { end: threw, ...silent, isDispatched: false, ...shared, outcome: 'in-doubt' },
  { end: threw, ...silent, isDispatched: true, thrown: ['sent'], isLost: false, outcome: 'sent' },
  { end: threw, ...silent, isDispatched: true, thrown: unsent, ...own, outcome: 'not-sent' },
  { end: threw, ...silent, isDispatched: true, thrown: ['rejected'], ...own, outcome: 'rejected' },
  { end: threw, ...silent, isDispatched: true, thrown: unknown, ...own, outcome: 'in-doubt' },
  {
    end: threw,
    ...silent,
    isDispatched: true,
    thrown: [...unsent, 'rejected', ...unknown],
    ...shared,
    outcome: 'in-doubt',
  },
];

function holds(row: Row, combination: Combination): boolean {
  const isIn = <T>(allowed: readonly T[] | undefined, value: T) =>
    allowed === undefined || allowed.includes(value);
  const isAs = (wanted: boolean | undefined, value: boolean) =>
    wanted === undefined || wanted === value;
  return (
    isIn(row.end, combination.end) &&
    isIn(row.reported, combination.reported) &&
    isIn(row.thrown, combination.thrown) &&
    isAs(row.isLost, combination.isLost) &&
    isAs(row.isDispatched, combination.isDispatched) &&
    isAs(row.isShared, combination.isShared)
  );
}

describe('decide()', () => {
  const combinations = allCombinations();

  test('has 480 combinations of its inputs, each in exactly one row of the table', () => {
    expect(combinations).toHaveLength(2 * 6 * 5 * 8);
    const wrong = combinations.filter(
      (combination) => table.filter((row) => holds(row, combination)).length !== 1,
    );
    expect(wrong).toEqual([]);
    for (const row of table) expect(combinations.some((one) => holds(row, one))).toBe(true);
  });

  test.each(table.map((row) => ({ ...row, line: JSON.stringify(row) })))(
    'decides "$outcome" for every combination of $line',
    (row) => {
      for (const combination of combinations.filter((one) => holds(row, one))) {
        expect([combination, decide(combination, combination.thrown)]).toEqual([
          combination,
          row.outcome,
        ]);
      }
    },
  );
});

describe('thrownVerdict()', () => {
  const facts: ClaimFacts = {
    end: 'threw',
    reported: undefined,
    isLost: false,
    isDispatched: true,
    isShared: false,
  };
  const closed = { value: undefined, report: undefined, wasRequested: true, facts };
  const error = new Error('broken');

  test('is "unknown" without "classify"', () => {
    expect(thrownVerdict({ ...closed, error }, {} as never)).toBe('unknown');
  });

  test.each(verdicts)('is what "classify" says: %s', (verdict) => {
    const classify = (given: unknown) => (given === error ? verdict : undefined);
    expect(thrownVerdict({ ...closed, error }, { classify } as never)).toBe(verdict);
  });

  test('is "not-sent" for a NotSentError, without asking "classify"', () => {
    const classify = () => expect.unreachable('asked');
    const notSent = new NotSentError('no address');
    expect(thrownVerdict({ ...closed, error: notSent }, { classify } as never)).toBe('not-sent');
  });

  test('is "unknown" for a NotSentError of a perform() inside this one', () => {
    const notSent = new NotSentError('no address');
    markAsNested(notSent);
    expect(thrownVerdict({ ...closed, error: notSent }, {} as never)).toBe('unknown');
  });

  test('is "unknown" when "classify" returns something that is no verdict, such as a promise', () => {
    for (const classify of [() => 'delivered', async () => 'sent', () => null]) {
      expect(thrownVerdict({ ...closed, error }, { classify } as never)).toBe('unknown');
    }
  });

  test('is "unknown" when "classify" throws or returns nothing', () => {
    const fails = () => {
      throw new Error('no idea');
    };
    expect(thrownVerdict({ ...closed, error }, { classify: fails } as never)).toBe('unknown');
    expect(thrownVerdict({ ...closed, error }, { classify: () => undefined } as never)).toBe(
      'unknown',
    );
  });

  test('does not ask "classify" where something was reported, or where nothing was thrown', () => {
    const classify = () => expect.unreachable('asked');
    const report = { verdict: 'rejected' } as const;
    expect(thrownVerdict({ ...closed, error, report }, { classify } as never)).toBe('unknown');
    const returned = { ...closed, error: undefined, facts: { ...facts, end: 'returned' as const } };
    expect(thrownVerdict(returned, { classify } as never)).toBe('unknown');
  });
});
