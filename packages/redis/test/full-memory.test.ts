import { deriveKey, type LedgerRecord } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const fill = (full: boolean) => client.config('SET', 'maxmemory', full ? '1' : '0');

describe('a Redis whose memory is full', () => {
  const ledger = () => redisLedger(client);

  async function dispatched() {
    const attempt = {
      key: deriveKey(createToken()),
      token: createToken(),
      leaseMs: 30_000,
      retentionMs: 600_000,
    };
    expect(await ledger().claim({ ...attempt, dispatched: true })).toEqual({ state: 'won' });
    return attempt;
  }

  async function whileFull<T>(run: () => Promise<T>): Promise<T> {
    await fill(true);
    try {
      return await run();
    } finally {
      await fill(false);
    }
  }

  test('takes no new email, and nothing is left of it', async () => {
    const attempt = {
      key: deriveKey(createToken()),
      token: createToken(),
      leaseMs: 1000,
      retentionMs: 1000,
    };
    const claim = whileFull(() => ledger().claim({ ...attempt, dispatched: true }));
    await expect(claim).rejects.toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(await ledger().read(attempt.key)).toBeUndefined();
  });

  test.each(['sent', 'rejected', 'in-doubt'] as const)(
    'records of an email on its way that it is %s: its acknowledgement would get through, too',
    async (outcome) => {
      const attempt = await dispatched();
      const settled = await whileFull(() => ledger().settle({ ...attempt, outcome }));
      expect(settled).toEqual({ state: 'settled' });
      expect((await ledger().read(attempt.key))!.state).toBe(outcome);
    },
  );

  test('keeps the mark of an email on its way, and gives it back', async () => {
    const attempt = await dispatched();
    await whileFull(async () => {
      expect(await ledger().heartbeat([attempt])).toEqual(['kept']);
      expect(await listed()).toContain(attempt.key);
      expect(await ledger().release(attempt)).toEqual({ state: 'released' });
    });
  });

  test.each(['sent', 'not-sent'] as const)('lets a doubt be resolved as %s', async (verdict) => {
    const attempt = await dispatched();
    await ledger().settle({ ...attempt, outcome: 'in-doubt' });
    const resolution = { ...attempt, verdict, by: 'Ann' };
    const resolved = await whileFull(() => ledger().resolve(resolution));
    expect(resolved).toEqual({ state: 'resolved' });
    expect(await listed()).not.toContain(attempt.key);
  });

  async function listed(): Promise<string[]> {
    const records: LedgerRecord[] = [];
    for await (const record of ledger().list({ state: 'open' })) records.push(record);
    return records.map(({ key }) => key);
  }
});
