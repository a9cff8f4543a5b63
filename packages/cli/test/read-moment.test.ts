import { expect, test } from 'vitest';
import { readMoment } from '../src/read-moment.ts';

const nowMs = Date.parse('2026-12-01T12:00:00Z');

test.each([
  ['90s', '2026-12-01T11:58:30.000Z', '2026-12-01T11:58:30.000Z'],
  ['30min', '2026-12-01T11:30:00.000Z', '2026-12-01T11:30:00.000Z'],
  ['30m', '2026-12-01T11:30:00.000Z', '2026-12-01T11:30:00.000Z'],
  ['2 h 10 min', '2026-12-01T09:50:00.000Z', '2026-12-01T09:50:00.000Z'],
  ['1d12h', '2026-11-30T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
  ['2026-12-01', '2026-12-01T00:00:00.000Z', '2026-12-01T23:59:59.999Z'],
  ['2026-12-01T09:30', '2026-12-01T09:30:00.000Z', '2026-12-01T09:30:59.999Z'],
  // As the commands print it.
  ['2026-11-28 22:38:55Z', '2026-11-28T22:38:55.000Z', '2026-11-28T22:38:55.999Z'],
  ['2026-11-28T22:38:55.640Z', '2026-11-28T22:38:55.640Z', '2026-11-28T22:38:55.640Z'],
  ['2026-12-01T09:30+01:00', '2026-12-01T08:30:00.000Z', '2026-12-01T08:30:59.999Z'],
])('%s begins at %s and ends at %s', (text, first, last) => {
  const { firstMs, lastMs } = readMoment({ option: '--since', text, nowMs });
  expect([new Date(firstMs).toJSON(), new Date(lastMs).toJSON()]).toEqual([first, last]);
});

test.each([
  '2',
  'h',
  '-2h',
  '2 weeks',
  '2H',
  'yesterday',
  '01.12.2026',
  '2026-02-31',
  '2026-13-01',
  '2026-12-01T25:00',
  '2026-12-01T09',
  '2026-12-01T09:30.5',
  '1.5h',
  ' ',
])('"%s" is not understood, and the error says what is', (text) => {
  expect(() => readMoment({ option: '--since', text, nowMs })).toThrow(
    /^Expected --since to be a duration before now, such as 30min/,
  );
});
