/**
 * Processors side by side on BullMQ in one run: rounds alternate (bare, first, second, bare, …), each
 * ratio is to the bare round beside it, and the median over the rounds is given with its spread.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type FoundRedis, deleteNamespace, findRedis, median, namespace } from '@sendonce/testkit';
import { type Processor, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

export interface Contestant {
  readonly name: string;
  readonly processor: Processor;
}

export interface Setup {
  readonly name: string;
  readonly workers: number;
  readonly concurrency: number;
}

export const setups: readonly Setup[] = [
  { name: 'concurrency 1', workers: 1, concurrency: 1 },
  { name: 'concurrency 16', workers: 1, concurrency: 16 },
  { name: 'concurrency 64', workers: 1, concurrency: 64 },
  { name: '32 workers', workers: 32, concurrency: 1 },
];

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '7' },
    'work-ms': { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const jobs = Number(values.jobs);
const rounds = Number(values.rounds);
const workMs = Number(values['work-ms']);
const processors = workMs > 0 ? `${workMs} ms processors` : 'no-op processors';

/** What a job does: nothing, so that nothing hides the cost, or waiting as for a mail server. */
export const work = async () => void (workMs > 0 && (await sleep(workMs)));

export const keyOf = (job: { queueName: string; id?: string | undefined }) => [
  job.queueName,
  job.id,
];

export interface Stage {
  readonly redis: FoundRedis;
  readonly prefix: string;
  readonly connect: (url?: string) => Redis;
  /** Runs at the end, last registered first. */
  readonly onEnd: (step: () => unknown) => void;
}

/** Measures the contestants and prints the table; the first one is bare BullMQ. */
export async function compare(
  prepare: (stage: Stage) => Promise<readonly Contestant[]>,
): Promise<void> {
  const redis = await findRedis();
  const prefix = namespace('bench');
  const steps: (() => unknown)[] = [redis.stop, () => deleteNamespace(redis.url, prefix)];
  const connect = (url = redis.url) => {
    const client = new Redis(url, { maxRetriesPerRequest: null });
    client.on('error', () => {});
    steps.push(() => client.disconnect());
    return client;
  };
  try {
    const stage = { redis, prefix, connect, onEnd: (step: () => unknown) => steps.push(step) };
    const contestants = [{ name: 'bare', processor: work }, ...(await prepare(stage))];
    const connection = connect();
    say(`${redis.how}; Node ${process.version}; ${jobs} jobs, ${rounds} rounds, ${processors}`);
    const results: Summary[] = [];
    for (const setup of setups) {
      const rates = contestants.map((): number[] => []);
      for (let round = 0; round <= rounds; round++) {
        progress(`${setup.name}: round ${round} of ${rounds}`);
        for (const [index, { processor }] of contestants.entries()) {
          const rate = await measure(setup, processor, connection, prefix);
          // The first round warms up.
          if (round > 0) rates[index]!.push(rate);
        }
      }
      results.push(summary(setup, contestants, rates));
    }
    progress('');
    if (values.json) console.log(JSON.stringify({ redis: redis.how, jobs, rounds, results }));
    else printTable(results);
  } finally {
    for (const step of steps.toReversed()) await step();
  }
}

/** Jobs per second from the start of the workers to the last completion. */
async function measure(
  { workers, concurrency }: Setup,
  processor: Processor,
  connection: Redis,
  prefix: string,
): Promise<number> {
  const name = `q${Math.random().toString(36).slice(2)}`;
  const queue = new Queue(name, { connection, prefix });
  const opts = { removeOnComplete: true };
  for (let added = 0; added < jobs; added += 500) {
    const length = Math.min(500, jobs - added);
    await queue.addBulk(Array.from({ length }, () => ({ name: 'job', data: {}, opts })));
  }
  const running = Array.from(
    { length: workers },
    () => new Worker(name, processor, { connection, prefix, concurrency, autorun: false }),
  );
  let completed = 0;
  const all = new Promise<void>((resolve) => {
    for (const worker of running) {
      worker.on('completed', () => void (++completed === jobs && resolve()));
      worker.on('error', (error) => console.error(error));
    }
  });
  await Promise.all(running.map((worker) => worker.waitUntilReady()));
  const startedMs = performance.now();
  for (const worker of running) void worker.run();
  await all;
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(running.map((worker) => worker.close()));
  await queue.obliterate({ force: true });
  await queue.close();
  await sleep(20);
  return jobs / seconds;
}

interface Ratio {
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
}

interface Summary {
  readonly setup: string;
  readonly bareJobsPerSecond: number;
  readonly ratios: Readonly<Record<string, Ratio>>;
}

function summary(
  setup: Setup,
  contestants: readonly Contestant[],
  rates: readonly number[][],
): Summary {
  const [bare = []] = rates;
  const ratios = contestants.slice(1).map(({ name }, index) => {
    const list = rates[index + 1]!.map((rate, round) => rate / bare[round]!);
    list.sort((one, other) => one - other);
    const ratio = { ratio: round2(median(list)), from: round2(list[0]!), to: round2(list.at(-1)!) };
    return [name, ratio] as const;
  });
  return {
    setup: setup.name,
    bareJobsPerSecond: Math.round(median(bare)),
    ratios: Object.fromEntries(ratios),
  };
}

function printTable(results: readonly Summary[]): void {
  const names = Object.keys(results[0]?.ratios ?? {});
  const width = Math.max(20, ...names.map((name) => name.length + 3));
  const header = names.map((name) => name.padStart(width)).join('');
  console.log(`\n${processors.padEnd(18)}${'bare jobs/s'.padStart(12)}${header}`);
  for (const { setup, bareJobsPerSecond, ratios } of results) {
    const texts = Object.values(ratios).map(({ ratio, from, to }) =>
      `${ratio.toFixed(2)} (${from}-${to})`.padStart(width),
    );
    console.log(`${setup.padEnd(18)}${String(bareJobsPerSecond).padStart(12)}${texts.join('')}`);
  }
  console.log('\nRatio to bare BullMQ in the same round: median (lowest-highest).');
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

export function say(line: string): void {
  console.error(line);
}

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (line) say(line);
}
