import { expect, test } from 'vitest';
import { eventually } from '../src/index.ts';

test('it returns as soon as the assertion holds, with its value', async () => {
  let calls = 0;
  const result = await eventually(() => {
    if (++calls < 3) throw new Error('not yet');
    return calls;
  });
  expect(result).toBe(3);
});

test('it fails with the last error of the assertion', async () => {
  let calls = 0;
  const failing = () => Promise.reject(new Error(`call ${++calls}`));
  await expect(eventually(failing, { timeoutMs: 60, everyMs: 10 })).rejects.toThrow(/^call [2-9]$/);
});

test('it fails at the deadline when the assertion never settles', async () => {
  const never = () => new Promise(() => {});
  await expect(eventually(never, { timeoutMs: 30 })).rejects.toThrow('within 30 ms');
});
