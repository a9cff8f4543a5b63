import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withTimeout } from '../../src/store/index.ts';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('an answer in time is given, and leaves no timer that keeps the process alive', async () => {
  const before = timers();
  const answer = withTimeout(Promise.resolve('pong'), 60_000, () => expect.unreachable());
  expect(await answer).toBe('pong');
  expect(timers()).toBeLessThanOrEqual(before);
});

test('the error of an answer in time is thrown, and leaves no timer either', async () => {
  const before = timers();
  const down = new Error('down');
  const answer = withTimeout(Promise.reject(down), 60_000, () => expect.unreachable());
  await expect(answer).rejects.toBe(down);
  expect(timers()).toBeLessThanOrEqual(before);
});

test('an answer that is late is replaced by what "onTimeout" returns or throws', async () => {
  const late = () => sleep(2_000, 'late', { ref: false });
  expect(await withTimeout(late(), 10, () => 'too late')).toBe('too late');
  const gaveUp = new Error('no answer within 10 ms');
  const answer = withTimeout(late(), 10, () => {
    throw gaveUp;
  });
  await expect(answer).rejects.toBe(gaveUp);
});
