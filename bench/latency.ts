import { redisLedger } from '@sendonce/redis';
import type { Ledger } from '@sendonce/core';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { checkMemory, fill } from './fill.ts';
import type { Progress } from './progress.ts';
import { type ClaimLatency, rounded } from './results.ts';
import { claimOf, claimWon, settleSent } from './sent-email.ts';

const texts = 'job';

/**
 * How long a claim takes in ledgers that hold few and many settled emails: one claim at a time, on
 * one connection. Each ledger has its own Redis, and the ledgers are asked in turn.
 */
export async function measureLatency(args: Arguments, progress: Progress): Promise<ClaimLatency[]> {
  checkMemory(args.records);
  const claims = args.jobs ?? 1000;
  const onEnd: (() => unknown)[] = [];
  try {
    const ledgers: { records: number; ledger: Ledger; tookMs: number[] }[] = [];
    for (const records of args.records) {
      progress.step(`latency: a ledger of ${records}`);
      const server = await startRedis();
      onEnd.push(server.stop);
      await fill({ url: server.url, records, texts }, progress);
      const client = new Redis(server.url, { maxRetriesPerRequest: null });
      onEnd.push(() => client.disconnect());
      ledgers.push({ records, ledger: redisLedger(client), tookMs: [] });
    }
    progress.step('latency: claims');
    for (let round = 0; round <= args.rounds; round++) {
      for (const { records, ledger, tookMs } of ledgers) {
        progress.show(`claims in a ledger of ${records}: round ${round} of ${args.rounds}`);
        const measured = await claimOneByOne(ledger, claims);
        // The first round warms up.
        if (round > 0) tookMs.push(...measured);
      }
    }
    return ledgers.map(({ records, tookMs }) => ({
      records,
      p50Ms: quantile(tookMs, 0.5),
      p99Ms: quantile(tookMs, 0.99),
    }));
  } finally {
    for (const step of onEnd.toReversed()) await step();
  }
}

async function claimOneByOne(ledger: Ledger, claims: number): Promise<number[]> {
  const tookMs: number[] = [];
  for (let jobId = 1; jobId <= claims; jobId++) {
    const claim = claimOf(jobId, texts);
    const startMs = performance.now();
    await claimWon(ledger, claim);
    tookMs.push(performance.now() - startMs);
    // Not measured: the ledger holds settled emails only, as before.
    await settleSent(ledger, claim, texts);
  }
  return tookMs;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return rounded(sorted[Math.ceil(sorted.length * part) - 1] ?? NaN, 4);
}
