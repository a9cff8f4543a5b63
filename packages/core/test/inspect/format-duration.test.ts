import { expect, test } from 'vitest';
import { formatDuration } from '../../src/inspect/index.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

test.each([
  [-5, '0 ms'],
  [12.4, '12 ms'],
  [3_212, '3.2 s'],
  [9_999, '9.9 s'],
  [59_999, '59 s'],
  [MINUTE, '1 min'],
  [2 * MINUTE + 10 * SECOND, '2 min 10 s'],
  [2 * HOUR + 10 * MINUTE + 59 * SECOND, '2 h 10 min'],
  [DAY + 5 * MINUTE, '1 d'],
  [3 * DAY + HOUR, '3 d 1 h'],
])('a measured duration of %d ms is shown in its two largest units: %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [450, '450 ms'],
  [1_500, '1500 ms'],
  [MINUTE, '60 s'],
  [90 * SECOND, '90 s'],
  [2 * MINUTE, '2 min'],
  [DAY, '24 h'],
  [7 * DAY, '7 days'],
  [9_999.2, '10000 ms'],
  [630_150, '631 s'],
  [100 * 365 * DAY + 1, 'more than 100 years'],
])('a duration of %d ms that was set is shown in one unit and never shortened: %s', (ms, text) => {
  expect(formatDuration(ms, { exact: true })).toBe(text);
});
