import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { dashboard } from '../src/index.ts';
import {
  byHeader,
  doubtfulEmail,
  LEASE_MS,
  RETENTION_MS,
  startStage,
  type Stage,
} from './stage.ts';

/** How often each command ran since `CONFIG RESETSTAT`; those inside of scripts too. */
async function commandsOf({ redis }: Stage): Promise<Map<string, number>> {
  const lines = (await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name, calls]) => [name!, Number(calls)]));
}

async function settleMany({ ledger, journal }: Stage, from: number, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const key = deriveKey(['notice', from + index]);
      const job = { queue: 'notices', id: String(from + index) };
      const attempt = {
        key,
        token: createToken(),
        leaseMs: LEASE_MS,
        retentionMs: RETENTION_MS,
        job,
      };
      await ledger.claim({ ...attempt, dispatched: true });
      await ledger.settle({ ...attempt, outcome: 'sent' });
      journal.write({ key, type: 'sent', atMs: Date.now(), job, label: `order ${from + index}` });
    }),
  );
  await journal.flush();
}

// Its own server: the counters of commands are those of the whole server.
test('no page asks for all keys, and none costs more with more emails that were sent', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const stage = startStage(redis.url);
  onTestFinished(() => stage.queue.close());
  const { ledger, journal } = stage;
  const key = deriveKey(['doubt', 1]);
  await doubtfulEmail(stage, key, { label: 'order 1' });
  const board = dashboard({ ledger, journal, authorize: byHeader });
  const lookAtAll = async () => {
    await stage.redis.config('RESETSTAT');
    for (const path of ['/', '/?days=7', `/email/${key}`, '/find?q=order+1', '/find?q=nothing']) {
      const headers = { 'x-user': 'ada' };
      const answered = await board.fetch(new Request(`http://a${path}`, { headers }));
      expect(answered.status).toBeLessThan(500);
      await answered.text();
    }
    return commandsOf(stage);
  };

  await settleMany(stage, 0, 50);
  // The scripts are known from here on.
  await lookAtAll();
  const few = await lookAtAll();
  await settleMany(stage, 1000, 2000);
  const many = await lookAtAll();

  expect(few.get('evalsha')).toBeGreaterThan(5);
  for (const name of ['keys', 'scan', 'sscan', 'hscan', 'zscan'])
    expect(many.has(name)).toBe(false);
  for (const one of [few, many]) for (const name of ['config|resetstat', 'info']) one.delete(name);
  expect(Object.fromEntries(many)).toEqual(Object.fromEntries(few));
});
