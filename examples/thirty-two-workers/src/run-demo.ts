import { deriveKey } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { deleteNamespace, findRedis, namespace } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { type Field, orderCells, renderHeadline } from './headline.ts';
import { count } from './plural.ts';
import { type CellResult, runCell } from './run-cell.ts';
import type { Progress } from './terminal/progress.ts';
import { startStores, type Stores } from './stores.ts';
import { GROUP, LEASE_MS } from './timing.ts';
import { startWorkerPool, type WorkerPool } from './worker-pool.ts';
import { createRedlock, waitTurn } from './worker/redlock.ts';

export interface Demo {
  readonly results: CellResult[];
  /** Kills the workers, deletes the keys, stops the Redis if it was started here. */
  readonly cleanUp: () => Promise<void>;
}

/** Runs the cells that were asked for. Call `cleanUp` also when it rejects. */
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
    const { workers } = args;
    progress.say(`starting ${count(workers, 'worker process', 'worker processes')}`);
    const all = await startWorkerPool(workers, (started) => {
      sayStarted(started, workers, progress);
    });
    await later(all.stop);

    /** Runs cells one after the other, until none is left. */
    const runCells = async (cells: Field[], pool: WorkerPool, stores: Stores) => {
      for (;;) {
        const cell = over ? undefined : cells.shift();
        if (!cell) return;
        progress.begin(cell);
        const result = await runCell({ ...cell, pool, stores, namespace: prefix });
        results.push(result);
        progress.done(result.cell);
        if (result.restless !== undefined) progress.line(`? ${result.restless}`);
      }
    };
    const { headline, withAllWorkers, inGroups } = orderCells(args);
    progress.expect(headline.length + withAllWorkers.length + inGroups.length);
    // They need no other store, so nothing else is waited for.
    await runCells([...headline], all, { redis, redisUrl: url, others: [], postgres: undefined });
    const line = renderHeadline(results, workers);
    if (line !== undefined) progress.line(line);
    if (over) return;
    const stores = await startStores({ redis, redisUrl: url, ...args, progress, later });
    await runCells([...withAllWorkers], all, stores);
    const left = [...inGroups];
    await Promise.all(all.groupsOf(GROUP).map((group) => runCells(left, group, stores)));
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
