/**
 * Throughput of once() beside bare BullMQ, in one run: no-op processors, so that nothing hides the
 * cost. Rounds alternate (bare, before-processor, at-send, bare, …); each ratio is to the bare round
 * beside it, and the median over the rounds is printed with its spread.
 *
 *     pnpm bench [--jobs 4000] [--rounds 7] [--work-ms 0] [--json]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { once } from '@sendonce/bullmq';
import { currentClaim } from '@sendonce/core';
import { redisLedger } from '@sendonce/redis';
import { deleteNamespace, findRedis, namespace } from '@sendonce/testkit';
import { type Processor, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

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

/** What a job does: nothing, or waiting as for a mail server. */
const work = async () => void (workMs > 0 && (await sleep(workMs)));

const processors = workMs > 0 ? `${workMs} ms processors` : 'no-op processors';

interface Setup {
  readonly name: string;
  readonly workers: number;
  readonly concurrency: number;
}
const setups: Setup[] = [
  { name: 'concurrency 1', workers: 1, concurrency: 1 },
  { name: 'concurrency 16', workers: 1, concurrency: 16 },
  { name: 'concurrency 64', workers: 1, concurrency: 64 },
  { name: '32 workers', workers: 32, concurrency: 1 },
];

const server = await findRedis();
const prefix = namespace('bench');
const connection = new Redis(server.url, { maxRetriesPerRequest: null });
const ledgerClient = new Redis(server.url, { maxRetriesPerRequest: null });
const ledger = redisLedger(ledgerClient, { prefix });
const key = (job: { queueName: string; id?: string | undefined }) => [job.queueName, job.id];

const contestants: { readonly name: string; readonly processor: Processor }[] = [
  { name: 'bare', processor: work },
  { name: 'before-processor', processor: once(work, { ledger, key }) },
  {
    name: 'at-send',
    processor: once(
      async () => {
        await currentClaim()?.dispatch();
        await work();
      },
      { ledger, key, dispatch: 'at-send' },
    ),
  },
];

say(`${server.how}; Node ${process.version}; ${jobs} jobs, ${rounds} rounds, ${processors}`);
const results: Summary[] = [];
for (const setup of setups) {
  const rates = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    progress(`${setup.name}: round ${round} of ${rounds}`);
    for (const [index, { processor }] of contestants.entries()) {
      const rate = await measure(setup, processor);
      // The first round warms up.
      if (round > 0) rates[index]!.push(rate);
    }
  }
  results.push(summary(setup, rates));
}
progress('');
if (values.json) console.log(JSON.stringify({ redis: server.how, jobs, rounds, results }));
else printTable();

await connection.quit();
await ledgerClient.quit();
await deleteNamespace(server.url, prefix);
await server.stop();

/** Jobs per second from the start of the workers to the last completion. */
async function measure({ workers, concurrency }: Setup, processor: Processor): Promise<number> {
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

function summary(setup: Setup, rates: number[][]) {
  const bare = rates[0]!;
  const ratios = rates.map((list) => list.map((rate, round) => rate / bare[round]!));
  return {
    setup: setup.name,
    bareJobsPerSecond: Math.round(median(bare)),
    ...Object.fromEntries(
      contestants.slice(1).map(({ name }, index) => {
        const list = ratios[index + 1]!.toSorted((one, other) => one - other);
        return [
          name,
          { ratio: round2(median(list)), from: round2(list[0]!), to: round2(list.at(-1)!) },
        ];
      }),
    ),
  } as Summary;
}

interface Ratio {
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
}
type Summary = { readonly setup: string; readonly bareJobsPerSecond: number } & Readonly<
  Record<'before-processor' | 'at-send', Ratio>
>;

function printTable(): void {
  const text = ({ ratio, from, to }: Ratio) => `${ratio.toFixed(2)} (${from}-${to})`;
  console.log(
    `\n${processors.padEnd(18)}${'bare jobs/s'.padStart(12)}${'before-processor'.padStart(22)}${'at-send'.padStart(22)}`,
  );
  for (const row of results) {
    console.log(
      row.setup.padEnd(18) +
        String(row.bareJobsPerSecond).padStart(12) +
        text(row['before-processor']).padStart(22) +
        text(row['at-send']).padStart(22),
    );
  }
  console.log('\nRatio to bare BullMQ in the same round: median (lowest-highest).');
}

function median(list: readonly number[]): number {
  const sorted = list.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function say(line: string): void {
  console.error(line);
}

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (line) say(line);
}
