import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { redlockLedger } from '../src/index.ts';

test('a frozen majority becomes an error that names the nodes, and nothing is sent', async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const clients = servers.map(({ url }) => new Redis(url, { maxRetriesPerRequest: null }));
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(servers.map((server) => server.stop()));
  });
  const ledger = redlockLedger(clients, { answerWithinMs: 300 });
  const key = deriveKey(createToken());
  await ledger.read(key);
  for (const server of servers.slice(0, 2)) server.pause();
  let sends = 0;
  const startedMs = performance.now();
  const failed = perform(() => void (sends += 1), { ledger, key, leaseMs: 3_000 });
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
  await expect(failed).rejects.toThrow(`${servers[0].host}:${servers[0].port}`);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(sends).toBe(0);
  for (const server of servers.slice(0, 2)) server.resume();
  await expect
    .poll(() => perform(() => void (sends += 1), { ledger, key }), { timeout: 10_000 })
    .toMatchObject({
      state: expect.stringMatching(/sent|duplicate/),
    });
  expect(sends).toBe(1);
});
