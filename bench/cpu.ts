/**
 * What an email costs the processors of the machine: CPU of the worker and of Redis, calls of
 * scripts, and reads and writes that the worker asks of its system. By turns with bare BullMQ, over
 * a real SMTP conversation on loopback.
 */
import { readFileSync } from 'node:fs';
import { median } from '@sendonce/testkit';
import { createPostgresBackend, withBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import type { SystemName } from './names.ts';
import { openProcessor } from './processors.ts';
import type { Progress } from './progress.ts';
import { type CpuCost, rounded, setups, type Spread } from './results.ts';
import { type JobRun, runJobs } from './run-jobs.ts';
import { onStage, type Stage } from './stage.ts';
import type { Work } from './system.ts';
import { systems } from './systems/index.ts';

/** Those whose servers are the queue's Redis or PostgreSQL: others would cost elsewhere, too. */
const measurable: readonly SystemName[] = ['before-processor', 'at-send', 'postgres-ledger'];

interface Contestant {
  readonly title: string;
  readonly work: Work;
}

export function measureCpu(args: Arguments, progress: Progress): Promise<CpuCost[]> {
  return onStage('own', async (stage) => {
    const works = await openProcessor.smtp(stage);
    const wanted = args.systems.filter((name) => measurable.includes(name));
    const contestants: Contestant[] = [{ title: 'bare BullMQ', work: works.plain }];
    for (const name of wanted) {
      const { title, open } = systems[name];
      contestants.push({ title, work: (await open(stage))(works) });
    }
    const onRedis = { connection: stage.connect(), prefix: stage.prefix };
    const costs = await compete(args, progress, { stage, contestants, queues: onRedis });
    if (!wanted.includes('postgres-ledger')) return costs;

    // What its user compares: the queue is in PostgreSQL as well.
    const inPostgres = { ...contestants.at(-1)!, title: 'PostgreSQL ledger, queue on PostgreSQL' };
    const bare = { title: 'bare BullMQ on PostgreSQL', work: works.plain };
    const queues = await openPostgresQueues(stage);
    const pair = { stage, contestants: [bare, inPostgres], queues };
    return [...costs, ...(await compete(args, progress, pair))];
  });
}

type Queues = Pick<JobRun, 'connection' | 'prefix' | 'classes'>;

async function openPostgresQueues(stage: Stage): Promise<Queues> {
  const { url } = await stage.postgres();
  // BullMQ takes no hyphens in the name of a schema.
  const schema = `${stage.prefix}-queues`.replaceAll('-', '_');
  const classes = withBackend(createPostgresBackend);
  const connection = { connectionString: url, schema, migrate: true };
  return { connection, prefix: undefined, classes } as unknown as Queues;
}

interface Contest {
  readonly stage: Stage;
  /** The first one is what the others are compared with. */
  readonly contestants: readonly Contestant[];
  readonly queues: Queues;
}

async function compete(
  args: Arguments,
  progress: Progress,
  { stage, contestants, queues }: Contest,
): Promise<CpuCost[]> {
  const meter = stage.connect();
  const costs: CpuCost[] = [];
  // All workers are in this process: 32 of them would share its CPU.
  for (const name of args.setups.filter((one) => one !== '32-workers')) {
    const setup = setups[name];
    const jobs = args.jobs ?? Math.max(640, 50 * setup.workers * setup.perWorker);
    const rounds: Used[][] = [];
    for (let round = 0; round <= args.rounds; round++) {
      const used: Used[] = [];
      // By turns forwards and backwards: a machine that gets slower in a round favours none.
      const order = [...contestants.entries()];
      for (const [index, { title, work }] of round % 2 ? order : order.toReversed()) {
        progress.show(`cpu: ${setup.title}, round ${round} of ${args.rounds}, ${title}`);
        used[index] = await measure(meter, work, { ...queues, setup, jobs });
      }
      // The first round warms up.
      if (round > 0) rounds.push(used);
    }
    for (const [index, { title }] of contestants.entries()) {
      const own = rounds.map((round) => round[index]!);
      const beside = rounds.map(([bare]) => bare!);
      const middle = (of: (used: Used) => number) => rounded(median(own.map(of)), 1);
      const ratio = (of: (used: Used) => number): Spread => {
        const ratios = own.map((used, at) => of(used) / of(beside[at]!));
        return {
          median: rounded(median(ratios)),
          from: rounded(Math.min(...ratios)),
          to: rounded(Math.max(...ratios)),
        };
      };
      costs.push({
        system: title,
        concurrency: setup.concurrency,
        throughput: ratio(({ jobsPerSecond }) => jobsPerSecond),
        workerCpu: ratio(({ workerUs }) => workerUs),
        workerUs: middle(({ workerUs }) => workerUs),
        redisUs: middle(({ redisUs }) => redisUs),
        scripts: middle(({ scripts }) => scripts),
        readsAndWrites: middle(({ readsAndWrites }) => readsAndWrites),
      });
    }
  }
  return costs;
}

/** What one email has used. */
interface Used {
  readonly jobsPerSecond: number;
  readonly workerUs: number;
  readonly redisUs: number;
  readonly scripts: number;
  readonly readsAndWrites: number;
}

async function measure(meter: Redis, work: Work, run: JobRun): Promise<Used> {
  let begin = { redis: await redisNow(meter), worker: workerNow() };
  let worker = begin.worker;
  const jobsPerSecond = await runJobs(work, run, {
    async beforeStart() {
      begin = { redis: await redisNow(meter), worker: workerNow() };
    },
    afterEnd() {
      worker = workerNow();
    },
  });
  const redis = await redisNow(meter);
  const perEmail = (before: number, after: number) => (after - before) / run.jobs;
  return {
    jobsPerSecond,
    workerUs: perEmail(begin.worker.cpuUs, worker.cpuUs),
    redisUs: perEmail(begin.redis.cpuUs, redis.cpuUs),
    scripts: perEmail(begin.redis.scripts, redis.scripts),
    readsAndWrites: perEmail(begin.worker.readsAndWrites, worker.readsAndWrites),
  };
}

function workerNow() {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, readsAndWrites: readsAndWritesOf() };
}

/** Calls of read and write since the start of this process, where Linux counts them. */
function readsAndWritesOf(): number {
  try {
    const counts = readFileSync('/proc/self/io', 'utf8').matchAll(/^sysc[rw]: (\d+)/gm);
    return [...counts].reduce((sum, [, calls]) => sum + Number(calls), 0);
  } catch {
    return NaN;
  }
}

async function redisNow(meter: Redis) {
  const [cpu, stats] = await Promise.all([meter.info('cpu'), meter.info('commandstats')]);
  const seconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)];
  const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
  const sum = (found: RegExpMatchArray[]) =>
    found.reduce((total, [, number]) => total + Number(number), 0);
  return { cpuUs: sum(seconds) * 1_000_000, scripts: sum(calls) };
}
