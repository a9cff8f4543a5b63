import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis, startSentinels } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { inStep, openBySentinel, sendCopy } from './failover.ts';
import { startLaggingLink } from './lagging-link.ts';

// Why `replicas` is to be all of them: two replicas, and Sentinel prefers the one that lags,
// because of its replica-priority. The same happens where the one that acknowledged dies with the
// master.
test.concurrent.each([
  [1, 'does not hold, and the email leaves twice', 2],
  [2, 'holds, and the email leaves once', 1],
])(
  'of two replicas the one that lags is promoted: durability { replicas: %i } %s',
  { timeout: 60_000 },
  async (replicas, _outcome, emails) => {
    const args = ['--repl-diskless-sync-delay', '0'];
    const sentinels = await startSentinels();
    const master = await startRedis({ args });
    const link = await startLaggingLink(master.port, 20);
    const follow = (port: number, more: string[] = []) =>
      startRedis({ args: [...args, '--replicaof', '127.0.0.1', String(port), ...more] });
    const near = await follow(master.port);
    const far = await follow(link.port, ['--replica-priority', '1']);
    await Promise.all([inStep(near.url), inStep(far.url)]);
    await sentinels.watch('mails', master, 2);
    const client = () => openBySentinel(sentinels.sentinels, 'mails');
    const [first, second] = [client(), client()];
    try {
      const ledger = redisLedger(first, { durability: { replicas, answerWithinMs: 2_000 } });
      await ledger.claim(attempt());
      await sleep(40);
      const claim = attempt();
      let left = 0;
      if ((await ledger.claim(claim)).state === 'won') left++;
      await Promise.all([master.kill(), link.lose()]);
      first.disconnect();
      while ((await sentinels.masterPort('mails')) === master.port) await sleep(50);
      expect(await sentinels.masterPort('mails')).toBe(far.port);
      await sendCopy(redisLedger(second), claim.key, () => void left++);
      expect(left).toBe(emails);
    } finally {
      first.disconnect();
      second.disconnect();
      await Promise.all([sentinels, master, near, far].map((server) => server.stop()));
    }
  },
);

function attempt() {
  const [key, token] = [deriveKey(createToken()), createToken()];
  return { key, token, leaseMs: 300, retentionMs: 600_000, dispatched: true };
}
