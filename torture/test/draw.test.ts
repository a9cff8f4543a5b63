import { expect, test } from 'vitest';
import { drawEmails } from '../src/email.ts';
import { drawFaults, faultKinds } from '../src/faults/draw.ts';

test('the same seed draws the same emails and the same faults, another one others', () => {
  const emails = (seed: number) => drawEmails({ seed, count: 200, withinMs: 60_000 });
  const faults = (seed: number) => drawFaults({ seed, workers: 8, forMs: 60_000 });
  expect(emails(1)).toEqual(emails(1));
  expect(emails(1)).not.toEqual(emails(2));
  expect(faults(1)).toEqual(faults(1));
  expect(faults(1)).not.toEqual(faults(2));
});

test('every kind of fault comes, within its time, on a worker that there is', () => {
  const faults = drawFaults({ seed: 3, workers: 32, forMs: 240_000 });
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  expect(faults.every(({ atMs }) => atMs >= 1_000 && atMs < 240_000)).toBe(true);
  expect(faults.every(({ worker }) => worker >= 0 && worker < 32)).toBe(true);
});

test('with `everyday` some emails are skipped, cancelled or moved, and the others stay the same', () => {
  const options = { seed: 4, count: 1_000, withinMs: 60_000 };
  const everyday = drawEmails({ ...options, everyday: true });
  expect(everyday.filter(({ skips }) => skips).length).toBeGreaterThan(50);
  expect(everyday.filter(({ cancelledMs }) => cancelledMs !== undefined).length).toBeGreaterThan(
    50,
  );
  expect(everyday.filter(({ moved }) => moved).length).toBeGreaterThan(50);
  expect(drawEmails(options).some(({ skips, moved }) => skips || moved)).toBe(false);
});

test('emails go all ways, and some jobs have 32 copies', () => {
  const emails = drawEmails({ seed: 4, count: 1_000, withinMs: 60_000 });
  expect(new Set(emails.map(({ route }) => route)).size).toBe(3);
  expect(new Set(emails.map(({ copies }) => copies))).toEqual(new Set([1, 2, 4, 32]));
});
