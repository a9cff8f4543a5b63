import { deriveKey } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { deleteNamespace, findRedis, namespace } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { orderCells, renderHeadline } from './headline.ts';
import { count } from './plural.ts';
import { type CellResult, runCell } from './run-cell.ts';
import type { Progress } from './terminal/progress.ts';
import { startStores } from './stores.ts';
import { LEASE_MS } from './timing.ts';
import { startWorkerPool } from './worker-pool.ts';
import { createRedlock, waitTurn } from './worker/redlock.ts';

export interface Demo {
  readonly results: CellResult[];
  /** Kills the workers, deletes the keys, stops the Redis if it was started here. */
  readonly cleanUp: () => Promise<void>;
}

/** Runs the cells that were asked for, one after the other. Call `cleanUp` also when it rejects. */
export function startDemo(args: Arguments, progress: Progress): Demo & { run: Promise<void> } {
  const results: CellResult[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let over = false;

  /** For what has begun when the clean-up comes: undone at once. */
  const later = async (step: () => Promise<unknown>) => {
    if (over) await step();
    else undo.push(step);
  };

  async function run(): Promise<void> {
    progress.say('looking for a Redis; the first run on a machine may download one');
    const { url, how, stop } = await findRedis();
    await later(stop);
    progress.line(`Redis: ${how}`);
    checkUrl(url, args);
    const prefix = namespace('demo');
    // In a server that the demo started, nothing needs to be deleted, and it may have stopped.
    if (process.env['REDIS_URL']) await later(() => deleteNamespace(url, prefix));
    const redis = new Redis(url, { maxRetriesPerRequest: null });
    redis.on('error', () => {});
    await later(async () => redis.disconnect());
    await loadScripts(redis, prefix);
    const { guards, workers } = args;
    progress.say(`starting ${count(workers, 'worker process', 'worker processes')}`);
    const [stores, pool] = await Promise.all([
      startStores({ redis, redisUrl: url, guards, progress, later }),
      startWorkerPool(workers, (started) => sayStarted(started, workers, progress)).then(
        async (started) => {
          await later(started.stop);
          return started;
        },
      ),
    ]);
    const cells = orderCells(args);
    for (const [index, cell] of cells.entries()) {
      if (over) return;
      progress.begin(cell, index + 1, cells.length);
      const options = { ...cell, workers, pool, stores, namespace: prefix };
      const result = await runCell(options);
      results.push(result);
      progress.done(result.cell, index + 1, cells.length);
      if (result.restless !== undefined) progress.line(`? ${result.restless}`);
      // The cells of the headline are the first two, if both were asked for.
      const headline = index === 1 ? renderHeadline(results, workers) : undefined;
      if (headline !== undefined) progress.line(headline);
    }
  }

  async function cleanUp(): Promise<void> {
    over = true;
    // The workers first: a key that is deleted must stay deleted.
    for (const step of undo.splice(0).toReversed()) await step().catch(() => {});
  }
  return { results, run: run(), cleanUp };
}

/** Eight processes may take many seconds on a busy machine. */
function sayStarted(started: number, workers: number, progress: Progress): void {
  if (started % 8 === 0) progress.say(`${started} of ${workers} worker processes run`);
}

function checkUrl(url: string, { scenarios }: Arguments): void {
  if (!scenarios.includes('lost-reply') || new URL(url).protocol === 'redis:') return;
  throw new Error(
    'The scenario lost-reply cuts the connection to Redis after a command that it reads on the ' +
      'way, and REDIS_URL is not redis://. Leave it out by --scenario, or unset REDIS_URL.',
  );
}

/**
 * Makes the server know the scripts of the ledger and of redlock, as one that has run for a while
 * does: a first EVALSHA that it does not know would not be a claim that was executed.
 */
async function loadScripts(redis: Redis, prefix: string): Promise<void> {
  const ledger = redisLedger(redis, { prefix: `${prefix}-warm` });
  const key = deriveKey(['warm']);
  const token = 'w'.repeat(16);
  const attempt = { key, token, leaseMs: LEASE_MS, retentionMs: LEASE_MS };
  await ledger.claim(attempt);
  await ledger.dispatch(attempt);
  await ledger.release(attempt);
  const redlock = await createRedlock(redis);
  await waitTurn(redlock, { resource: `${prefix}-warm`, leaseMs: LEASE_MS }, async () => {});
}
