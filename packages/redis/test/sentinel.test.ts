import { describeLedger } from '@sendonce/ledger-tests';
import { type RedisSentinels, startRedisSentinel, startSentinels } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { failOver } from './failover.ts';

describeLedger(
  'the Redis ledger through Sentinel, with durability',
  async () => {
    const { sentinels, name, stop } = await startRedisSentinel({ replicas: 2 });
    const clients = [new Redis({ sentinels, name }), new Redis({ sentinels, name })] as const;
    const [ledger, other] = clients.map((client) =>
      redisLedger(client, { durability: { replicas: 2 } }),
    );
    return {
      ledger: ledger!,
      other: other!,
      // Three servers, and waits for two of them: slower than one that is alone.
      timeUnitMs: 400,
      async close() {
        for (const client of clients) await client.quit();
        await stop();
      },
    };
  },
  { concurrent: true },
);

describe('a failover by Sentinel right after the email has left, five times', () => {
  let sentinels: RedisSentinels;
  beforeAll(async () => {
    sentinels = await startSentinels();
  });
  afterAll(() => sentinels.stop());

  // The replica lags by 20 ms, and the master dies before it could know.
  const killed = { lagMs: 20, killAfterMs: 'once the email has left' } as const;
  const five = (failover: Parameters<typeof failOver>[1]) =>
    Promise.all(Array.from({ length: 5 }, () => failOver(sentinels, failover)));

  test.concurrent(
    'with durability no copy leaves: it is in doubt',
    { timeout: 60_000 },
    async () => {
      const durability = { replicas: 1, answerWithinMs: 2_000 };
      for (const after of await five({ ...killed, durability })) {
        expect(after).toEqual({ emails: 1, inDoubt: true, leftAtOnce: true });
      }
    },
  );

  test.concurrent(
    'without it every copy leaves: what durability is for',
    { timeout: 60_000 },
    async () => {
      for (const after of await five(killed)) {
        expect(after).toEqual({ emails: 2, inDoubt: false, leftAtOnce: true });
      }
    },
  );
});
