import { eventually, startRedis } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { checkHtml } from './check-html.ts';
import { cells, demoKeys, killRunning, startMain } from './run-main.ts';

afterAll(killRunning);

/** Adds a job that is due in an hour to the queue of a cell, as soon as the demo has it. */
async function keepBusy(url: string, cell: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  try {
    await eventually(
      async () => {
        const [key] = await redis.keys(`sendonce-test-demo-*:${cell}:meta`);
        expect(key).toBeDefined();
        const queue = new Queue(cell, { connection: redis, prefix: key!.split(`:${cell}:`)[0]! });
        await queue.add('later', {}, { delay: 3_600_000 });
        await queue.close();
      },
      { timeoutMs: 90_000, everyMs: 10 },
    );
  } finally {
    redis.disconnect();
  }
}

describe.concurrent('a cell that does not come to rest', () => {
  test.each([
    ['none', 3],
    ['sendonce', 1],
  ] as const)(
    'is marked with "?" and the others are run: %s',
    async (guard, exitCode) => {
      // Each has a separate server, so all keys there are of this demo.
      const { url, stop } = await startRedis();
      try {
        const args = cells('copies,killed-before', 'none,sendonce', 2);
        const main = await startMain(args, { REDIS_URL: url });
        await keepBusy(url, `copies-${guard}`);
        const { code, stdout, stderr, report } = await main.ended;
        expect(stderr + stdout).toMatch(/did not come to rest within 20 s/);
        const row = new RegExp(`^${guard} +\\? \\d +✓ 1$`, 'm');
        expect(stdout).toMatch(row);
        expect(stdout).toMatch(
          new RegExp(`^${guard === 'none' ? 'sendonce' : 'none'} +[✓✗] \\d +✓ 1$`, 'm'),
        );
        expect(stdout).toContain('4 cells');
        expect(stdout).toMatch(/1 cell did not come to rest \(\?\): copies/);
        expect(report).toContain('? ');
        checkHtml(report ?? '');
        expect(code).toBe(exitCode);
        expect(await demoKeys(url), 'keys left behind').toEqual([]);
      } finally {
        await stop();
      }
    },
    180_000,
  );
});
