import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from '@sendonce/bullmq';
import type { Ledger } from '@sendonce/core';
import { listAtMost } from '@sendonce/core/inspect';
import { eventually } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeArguments } from './run.ts';
import { startScene } from './scene.ts';

/** A day on which the API key had expired: `count` failed jobs, and an email in doubt for each. */
async function expiredKey(count: number) {
  const { ledger, journal, prefix, where } = startScene();
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-state-'));
  const connection = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const queue = new Queue('notices', { connection, prefix: `${prefix}:q` });
  let isExpired = true;
  const sent = new Map<number, number>();
  const processor = async (job: Job<{ order: number }>) => {
    if (isExpired) throw Object.assign(new Error('Unauthorized'), { code: '401' });
    const { order } = job.data;
    sent.set(order, (sent.get(order) ?? 0) + 1);
  };
  const key = (job: Job<{ order: number }>) => ['notice', job.data.order];
  const worker = new Worker('notices', once(processor, { ledger, journal, key }), {
    connection,
    prefix: `${prefix}:q`,
    concurrency: 50,
  });
  onTestFinished(async () => {
    await worker.close();
    await queue.close();
    connection.disconnect();
    rmSync(folder, { recursive: true });
  });
  await queue.addBulk(
    Array.from({ length: count }, (_, order) => ({ name: 'n', data: { order }, opts: {} })),
  );
  await eventually(async () => expect(await queue.getFailedCount()).toBe(count), {
    timeoutMs: 120_000,
  });
  isExpired = false;
  const start = (words: readonly string[]): ChildProcess & { readonly text: () => string } => {
    const argv = ['resolve', '--all', '--note', '401', ...words, ...where];
    const child = spawn(process.execPath, nodeArguments(argv), {
      env: { ...process.env, XDG_STATE_HOME: folder },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (text += String(chunk)));
    return Object.assign(child, { text: () => text });
  };
  return { ledger, queue, sent, start };
}

async function countDoubts(ledger: Ledger): Promise<number> {
  return (await listAtMost(ledger, 'in-doubt')).records.length;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.on('exit', resolve));
}

function expectEachOnce(sent: ReadonlyMap<number, number>, count: number): void {
  expect([...sent.values()].filter((times) => times !== 1)).toEqual([]);
  expect(sent.size).toBe(count);
}

describe('2,000 emails in doubt', { timeout: 300_000 }, () => {
  test('SIGINT ends the run after those under way, and the next run resolves the rest', async () => {
    const { ledger, queue, sent, start } = await expiredKey(2_000);
    const first = start(['--not-sent', '--retry', '--yes', '2000']);
    await eventually(() => expect(sent.size).toBeGreaterThan(300), { timeoutMs: 60_000 });
    first.kill('SIGINT');
    expect(await ended(first)).toBe(1);
    const left = await countDoubts(ledger);
    expect(left).toBeGreaterThan(100);
    expect(first.text()).toContain(`${(2_000 - left).toLocaleString('en')} emails resolved`);
    const notReached = left.toLocaleString('en');
    expect(first.text().replaceAll('\n', ' ')).toContain(
      `Stopped: ${notReached} emails not reached. Run the same command again for the rest.`,
    );
    const second = start(['--not-sent', '--retry', '--yes', String(left)]);
    expect([await ended(second), second.text()]).toEqual([0, expect.anything()]);
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(2_000), {
      timeoutMs: 60_000,
    });
    expectEachOnce(sent, 2_000);
  });

  test('SIGKILL at any moment: after the next runs each email is sent, and none twice', async () => {
    const { ledger, queue, sent, start } = await expiredKey(2_000);
    const about = ['--by', 'Ann', '--not-sent', '--retry', '--yes'];
    let kills = 0;
    for (let left = 2_000; left > 0; left = await countDoubts(ledger)) {
      const child = start([...about, String(left)]);
      const enough = sent.size + 150;
      if (kills < 5 && left > 300) {
        await eventually(() => expect(sent.size).toBeGreaterThan(enough), { timeoutMs: 60_000 });
        await sleep(Math.random() * 50);
        if (child.exitCode === null && child.kill('SIGKILL')) kills += 1;
      }
      await ended(child);
    }
    // No doubt is left. What the last one had begun with is ended by one more run.
    await ended(start([...about, '0']));
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(2_000), {
      timeoutMs: 60_000,
    });
    expect(kills).toBeGreaterThan(2);
    expectEachOnce(sent, 2_000);
  });
});
