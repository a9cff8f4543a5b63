import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { expect, it } from 'vitest';
import { sendWith } from '../../src/index.ts';

// In a file alone: each email that was begun in this process would hide what is tested.
it('what is thrown before the first sendWith() of a process is no doubt', async () => {
  expect(sendWith).toBeTypeOf('function');
  const [ledger, key] = [memoryLedger(), deriveKey(['before'])];
  const failing = () => Promise.reject(new Error('the template is missing'));
  const performed = perform(failing, { ledger, key, dispatch: 'at-send' });
  await expect(performed).rejects.toThrow('the template is missing');
  expect(await ledger.read(key)).toBeUndefined();
});
