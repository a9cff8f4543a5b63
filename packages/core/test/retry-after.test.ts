import { describe, expect, test } from 'vitest';
import {
  deriveKey,
  type EffectReport,
  memoryLedger,
  NotSentError,
  perform,
  type PerformEvent,
  type PerformOptions,
} from '../src/index.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The event `released` of an attempt, with the error that perform() throws. */
async function runUnsent(
  effect: Parameters<typeof perform>[0],
  options: Partial<PerformOptions> = {},
) {
  const events: PerformEvent[] = [];
  const error: unknown = await perform(effect, {
    ledger: memoryLedger(),
    key: deriveKey(['notice', 7]),
    onEvent: (event) => void events.push(event),
    ...options,
  }).catch((thrown: unknown) => thrown);
  return { error, released: events.find(({ type }) => type === 'released') };
}

describe('how long a provider asks to wait', () => {
  const cases: readonly [given: unknown, kept: number | undefined][] = [
    [0, 0],
    [1500.2, 1501],
    [2 * DAY_MS, DAY_MS],
    [-1, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ['60', undefined],
    [new Date(), undefined],
    [undefined, undefined],
  ];
  test.each(cases)('a report with "retryAfterMs" %s gives %s', async (given, kept) => {
    const report = { verdict: 'refused', note: '429', retryAfterMs: given } as EffectReport;
    const { released } = await runUnsent((claim) => claim.report(report));
    expect(released).toMatchObject({ note: '429', retryAfterMs: kept });
  });

  test('the error of a report says it, and one that wraps it', async () => {
    const refused = Object.assign(new Error('busy'), { retryAfterMs: 60_000, code: 'BUSY' });
    const error = new Error('the welcome email', { cause: refused });
    const { released } = await runUnsent((claim) => claim.report({ verdict: 'refused', error }));
    expect(released).toMatchObject({ retryAfterMs: 60_000 });
  });

  test('an error that "classify" calls refused says it', async () => {
    const thrown = Object.assign(new Error('busy'), { retryAfterMs: 60_000, code: 429 });
    const { error, released } = await runUnsent(() => Promise.reject(thrown), {
      classify: () => 'refused',
    });
    expect(error).toBe(thrown);
    expect(released).toMatchObject({ note: '429', retryAfterMs: 60_000 });
  });

  test('an error that means "not sent" does not say it, because no provider asked', async () => {
    const error = Object.assign(new NotSentError('The template is missing.'), { retryAfterMs: 1 });
    const { released } = await runUnsent(() => Promise.reject(error));
    expect(released).toMatchObject({ type: 'released' });
    expect(released?.retryAfterMs).toBeUndefined();
  });

  test('an error whose getter throws says nothing', async () => {
    const error = Object.defineProperty(new Error('busy'), 'retryAfterMs', {
      get() {
        throw new Error('no');
      },
    });
    const { released } = await runUnsent((claim) => claim.report({ verdict: 'refused', error }));
    expect(released).toMatchObject({ type: 'released' });
  });
});
