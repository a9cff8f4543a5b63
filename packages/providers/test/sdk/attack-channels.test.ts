import { channel } from 'node:diagnostics_channel';
import { deriveKey, memoryLedger } from '@sendonce/core';
import { expect, it, onTestFinished } from 'vitest';
import { attempt } from '../../../mail/test/helpers.ts';
import { resendSdk, sendWith } from '../../src/index.ts';

it('a message of another form on a channel of Node does not end the process', async () => {
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  const job = { ledger: memoryLedger(), key: deriveKey(['channels']) };
  const { state } = await attempt(job, () =>
    sendWith(resendSdk, async () => {
      for (const name of [
        'undici:request:create',
        'undici:client:sendHeaders',
        'undici:request:error',
        'http.client.request.start',
        'http.client.request.error',
      ]) {
        channel(name).publish({});
        channel(name).publish(undefined);
        channel(name).publish({ request: { method: 'POST', path: Symbol('x') } });
      }
      return { data: { id: 'id-1' }, error: null };
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught).toEqual([]);
  expect(state).toBe('sent');
});
