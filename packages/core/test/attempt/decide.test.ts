import { describe, expect, test, vi } from 'vitest';
import type { Undispatched, Verdict } from '../../src/index.ts';
import {
  type ClaimFacts,
  decide,
  type EffectEnd,
  markAsNested,
  type Outcome,
  classifiedVerdict,
} from '../../src/attempt/decide.ts';
import { NotSentError } from '../../src/index.ts';

const ends: readonly EffectEnd[] = ['returned', 'skipped', 'threw'];
const verdicts: readonly Verdict[] = ['sent', 'not-sent', 'refused', 'rejected', 'unknown'];
const reports = [undefined, ...verdicts];
const meanings: readonly Undispatched[] = ['in-doubt', 'sent', 'skipped'];
const both = [true, false];

interface Combination extends ClaimFacts {
  readonly classified: Verdict;
}

function allCombinations(): Combination[] {
  let all: Partial<Combination>[] = [{}];
  const times = <F extends keyof Combination>(field: F, values: readonly Combination[F][]) => {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [field]: value })));
  };
  times('end', ends);
  times('reported', reports);
  times('classified', verdicts);
  times('isLost', both);
  times('isDispatched', both);
  times('isShared', both);
  times('isUnseen', both);
  times('undispatched', meanings);
  return all as Combination[];
}

/** A row holds where each of its columns holds. A column that is left out holds always. */
type Row = { readonly [F in keyof Combination]?: readonly Combination[F][] } & {
  readonly outcome: Outcome;
};

const held = { isLost: [false] };
const own = { isLost: [false], isShared: [false] };
const shared = { isLost: [false], isShared: [true] };
const unsent = ['not-sent', 'refused'] as const;
const other: readonly Verdict[] = [...unsent, 'rejected', 'unknown'];
const silent = { reported: [undefined] };
const returned = { end: ['returned'], ...silent } as const;
const threw = { end: ['threw'], ...silent } as const;
/** An email may have left: by a dispatch, or unseen. */
const mayHaveLeft = [
  { isDispatched: [true] },
  { isDispatched: [false], isUnseen: [true] },
] as const;

const table: readonly Row[] = [
  { isLost: [true], outcome: 'lost' },

  // The sender reported.
  { reported: ['sent'], ...held, outcome: 'sent' },
  { reported: ['rejected'], ...own, outcome: 'rejected' },
  ...unsent.map((verdict): Row => {
    return { reported: [verdict], end: ['returned', 'threw'], ...own, outcome: verdict };
  }),
  { reported: [...unsent, 'rejected'], ...shared, outcome: 'in-doubt' },

  // The sender does not know: "classify" may.
  { reported: ['unknown'], classified: ['sent'], ...held, outcome: 'sent' },
  ...unsent.map((verdict): Row => {
    return { reported: ['unknown'], classified: [verdict], ...own, outcome: verdict };
  }),
  { reported: ['unknown'], classified: ['rejected'], ...own, outcome: 'rejected' },
  { reported: ['unknown'], classified: ['unknown'], ...own, outcome: 'in-doubt' },
  { reported: ['unknown'], classified: other, ...shared, outcome: 'in-doubt' },

  // The processor decided not to send.
  { end: ['skipped'], reported: [undefined, ...unsent], ...own, outcome: 'skipped' },
  { end: ['skipped'], ...silent, ...shared, outcome: 'in-doubt' },

  // It returned, and nothing was reported.
  { ...returned, isDispatched: [true], ...held, outcome: 'sent' },
  { ...returned, isDispatched: [false], undispatched: ['sent'], ...held, outcome: 'sent' },
  { ...returned, isDispatched: [false], undispatched: ['in-doubt'], ...held, outcome: 'in-doubt' },
  {
    ...returned,
    isDispatched: [false],
    undispatched: ['skipped'],
    isUnseen: [true],
    ...held,
    outcome: 'in-doubt',
  },
  {
    ...returned,
    isDispatched: [false],
    undispatched: ['skipped'],
    isUnseen: [false],
    ...own,
    outcome: 'skipped',
  },
  {
    ...returned,
    isDispatched: [false],
    undispatched: ['skipped'],
    isUnseen: [false],
    ...shared,
    outcome: 'in-doubt',
  },

  // It threw, and nothing was reported.
  { ...threw, isDispatched: [false], isUnseen: [false], ...own, outcome: 'not-sent' },
  { ...threw, isDispatched: [false], isUnseen: [false], ...shared, outcome: 'in-doubt' },
  ...mayHaveLeft.flatMap((way): Row[] => [
    { ...threw, ...way, classified: ['sent'], ...held, outcome: 'sent' },
    ...unsent.map((verdict): Row => {
      return { ...threw, ...way, classified: [verdict], ...own, outcome: verdict };
    }),
    { ...threw, ...way, classified: ['rejected'], ...own, outcome: 'rejected' },
    { ...threw, ...way, classified: ['unknown'], ...own, outcome: 'in-doubt' },
    { ...threw, ...way, classified: other, ...shared, outcome: 'in-doubt' },
  ]),
];

const columns = [
  'end',
  'reported',
  'classified',
  'isLost',
  'isDispatched',
  'isShared',
  'isUnseen',
  'undispatched',
] as const;

function holds(row: Row, combination: Combination): boolean {
  return columns.every((column) => {
    const allowed: readonly unknown[] | undefined = row[column];
    return allowed === undefined || allowed.includes(combination[column]);
  });
}

describe('decide()', () => {
  const combinations = allCombinations();

  test('has 4,320 combinations of its inputs, each in exactly one row of the table', () => {
    expect(combinations).toHaveLength(3 * 6 * 5 * 16 * 3);
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
        expect([combination, decide(combination, combination.classified)]).toEqual([
          combination,
          row.outcome,
        ]);
      }
    },
  );
});

describe('classifiedVerdict()', () => {
  const facts: ClaimFacts = {
    end: 'threw',
    reported: undefined,
    isLost: false,
    isDispatched: true,
    isShared: false,
    isUnseen: false,
    undispatched: 'in-doubt',
  };
  const closed = {
    value: undefined,
    report: undefined,
    wasRequested: true,
    wasRepeated: false,
    facts,
  };
  const error = new Error('broken');

  test('is "unknown" without "classify"', () => {
    expect(classifiedVerdict({ ...closed, error }, {} as never)).toBe('unknown');
  });

  test.each(verdicts)('is what "classify" says: %s', (verdict) => {
    const classify = (given: unknown) => (given === error ? verdict : undefined);
    expect(classifiedVerdict({ ...closed, error }, { classify } as never)).toBe(verdict);
  });

  test('is "not-sent" for a NotSentError, without asking "classify"', () => {
    const classify = vi.fn(() => 'sent');
    const notSent = new NotSentError('no address');
    expect(classifiedVerdict({ ...closed, error: notSent }, { classify } as never)).toBe(
      'not-sent',
    );
    expect(classify).not.toHaveBeenCalled();
  });

  test('is "unknown" for a NotSentError of a perform() inside this one', () => {
    const notSent = new NotSentError('no address');
    markAsNested(notSent);
    expect(classifiedVerdict({ ...closed, error: notSent }, {} as never)).toBe('unknown');
  });

  test('is "unknown" when "classify" returns something that is no verdict, such as a promise', () => {
    for (const classify of [() => 'delivered', async () => 'sent', () => null]) {
      expect(classifiedVerdict({ ...closed, error }, { classify } as never)).toBe('unknown');
    }
  });

  test('is "unknown" when "classify" throws or returns nothing', () => {
    const fails = () => {
      throw new Error('no idea');
    };
    expect(classifiedVerdict({ ...closed, error }, { classify: fails } as never)).toBe('unknown');
    expect(classifiedVerdict({ ...closed, error }, { classify: () => undefined } as never)).toBe(
      'unknown',
    );
  });

  test('asks "classify" about the error of a report that is "unknown", and about no other report', () => {
    const classify = vi.fn(() => 'refused');
    const asked = (report: object) =>
      classifiedVerdict({ ...closed, error, report: report as never }, { classify } as never);
    expect(asked({ verdict: 'unknown' })).toBe('unknown');
    expect(asked({ verdict: 'rejected', error })).toBe('unknown');
    expect(classify).not.toHaveBeenCalled();
    const throttled = new Error('slow down');
    expect(asked({ verdict: 'unknown', error: throttled })).toBe('refused');
    expect(classify).toHaveBeenCalledWith(throttled);
  });

  test('does not ask "classify" where something was reported, or where nothing was thrown', () => {
    const classify = vi.fn(() => 'sent');
    const report = { verdict: 'rejected' } as const;
    expect(classifiedVerdict({ ...closed, error, report }, { classify } as never)).toBe('unknown');
    const returned = { ...closed, error: undefined, facts: { ...facts, end: 'returned' as const } };
    expect(classifiedVerdict(returned, { classify } as never)).toBe('unknown');
    expect(classify).not.toHaveBeenCalled();
  });
});
