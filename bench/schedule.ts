import { delayedEmails } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { median } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import type { Progress } from './progress.ts';
import { rounded, type ScheduleCost } from './results.ts';
import { onStage, type Stage } from './stage.ts';

interface Notice {
  readonly order: number;
  readonly to: string;
  readonly text: string;
}

/** The same work, by a method of sendonce and by what people write with BullMQ alone. */
interface Pair {
  readonly call: string;
  readonly beside: string;
  readonly ours: (notices: readonly Notice[]) => Promise<unknown>;
  readonly bare: (notices: readonly Notice[]) => Promise<unknown>;
  /** Whether the emails are scheduled before the measurement. */
  readonly prepared?: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE = 250;

/** What the producer pays: each method beside BullMQ's own, by turns. */
export function measureSchedule(args: Arguments, progress: Progress): Promise<ScheduleCost[]> {
  return onStage('own', async (stage) => {
    const jobs = args.jobs ?? 2000;
    const meter = stage.connect();
    const costs: ScheduleCost[] = [];
    const scene = open(stage);
    for (const pair of openPairs(scene)) {
      const rounds: { ours: Measured; bare: Measured }[] = [];
      for (let round = 0; round <= args.rounds; round++) {
        progress.show(`schedule: ${pair.call}, round ${round} of ${args.rounds}`);
        const run = async (which: 'ours' | 'bare') => {
          const notices = makeNotices(jobs);
          if (pair.prepared) await prepare[which](scene, notices);
          return measure(meter, notices, pair[which]);
        };
        const bare = await run('bare');
        const ours = await run('ours');
        // The first round warms up.
        if (round > 0) rounds.push({ ours, bare });
        await meter.flushdb();
      }
      costs.push(summarise(pair, rounds));
    }
    return costs;
  });
}

interface Measured {
  readonly wallUs: number;
  readonly cpuUs: number;
  readonly commands: number;
}

async function measure(
  meter: Redis,
  notices: readonly Notice[],
  run: Pair['ours'],
): Promise<Measured> {
  const commandsBefore = await commandsOf(meter);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await run(notices);
  const wallUs = ((performance.now() - startMs) * 1000) / notices.length;
  const { user, system } = process.cpuUsage(cpuBefore);
  const commands = ((await commandsOf(meter)) - commandsBefore) / notices.length;
  return { wallUs, cpuUs: (user + system) / notices.length, commands };
}

/** All commands of the server, also those inside scripts. */
async function commandsOf(meter: Redis): Promise<number> {
  const stats = await meter.info('commandstats');
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

function summarise(
  { call, beside }: Pair,
  rounds: readonly { readonly ours: Measured; readonly bare: Measured }[],
): ScheduleCost {
  const ratios = rounds.map(({ ours, bare }) => bare.wallUs / ours.wallUs);
  const middle = (pick: (round: (typeof rounds)[number]) => number) =>
    rounded(median(rounds.map(pick)), 1);
  return {
    call,
    beside,
    ratio: rounded(median(ratios)),
    from: rounded(Math.min(...ratios)),
    to: rounded(Math.max(...ratios)),
    cpuUs: middle(({ ours }) => ours.cpuUs),
    bareCpuUs: middle(({ bare }) => bare.cpuUs),
    commands: middle(({ ours }) => ours.commands),
    bareCommands: middle(({ bare }) => bare.commands),
  };
}

let made = 0;

function makeNotices(count: number): Notice[] {
  return Array.from({ length: count }, () => {
    made += 1;
    const text = 'Your parcel arrives a day later than planned.';
    return { order: made, to: `customer-${made}@example.com`, text };
  });
}

function open(stage: Stage) {
  const connection = stage.connect();
  const queue = new Queue<Notice>('notices', { connection, prefix: stage.prefix });
  stage.onEnd(() => queue.close());
  const ledger = redisLedger(stage.connect(), { prefix: `${stage.prefix}:ledger` });
  const emails = delayedEmails(queue, {
    ledger,
    key: ({ order, to }: Notice) => ['notice', order, to],
  });
  return { queue, emails };
}

type Scene = ReturnType<typeof open>;

const later = { delay: DAY_MS };
const jobId = ({ order }: Notice) => `notice-${order}`;
const asEmails = (notices: readonly Notice[]) => notices.map((data) => ({ data, ...later }));
const asJobs = (notices: readonly Notice[]) =>
  notices.map((data) => ({ name: 'email', data, opts: { ...later, jobId: jobId(data) } }));

const prepare = {
  ours: async ({ emails }: Scene, notices: readonly Notice[]) => {
    await emails.scheduleBulk(asEmails(notices));
  },
  bare: ({ queue }: Scene, notices: readonly Notice[]) =>
    inPages(asJobs(notices), (page) => queue.addBulk(page)),
};

async function inPages<T>(
  items: readonly T[],
  run: (page: T[]) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += PAGE) {
    await run(items.slice(start, start + PAGE));
  }
}

async function atOnce(
  notices: readonly Notice[],
  lanes: number,
  run: (notice: Notice) => Promise<unknown>,
): Promise<void> {
  const waiting = notices.values();
  const lane = async () => {
    for (const notice of waiting) await run(notice);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function openPairs({ queue, emails }: Scene): Pair[] {
  const add = (notice: Notice) => queue.add('email', notice, { ...later, jobId: jobId(notice) });
  const schedule = (notice: Notice) => emails.schedule(notice, later);
  const oneByOne = (run: (id: string) => Promise<unknown>) => (notices: readonly Notice[]) =>
    inPages(notices, (page) => Promise.all(page.map((notice) => run(jobId(notice)))));
  return [
    {
      call: 'schedule, one at a time',
      beside: 'add',
      ours: (notices) => atOnce(notices, 1, schedule),
      bare: (notices) => atOnce(notices, 1, add),
    },
    {
      call: 'schedule, 50 at a time',
      beside: 'add',
      ours: (notices) => atOnce(notices, 50, schedule),
      bare: (notices) => atOnce(notices, 50, add),
    },
    {
      call: 'scheduleBulk',
      beside: 'addBulk, 250 at a time',
      ours: (notices) => emails.scheduleBulk(asEmails(notices)),
      bare: (notices) => inPages(asJobs(notices), (page) => queue.addBulk(page)),
    },
    {
      call: 'statusBulk',
      beside: 'getJob and getState',
      prepared: true,
      ours: (notices) => emails.statusBulk(notices),
      bare: oneByOne(async (id) => (await queue.getJob(id))?.getState()),
    },
    {
      call: 'rescheduleBulk',
      beside: 'getJob and changeDelay',
      prepared: true,
      ours: (notices) =>
        emails.rescheduleBulk(notices.map((email) => ({ email, delay: 2 * DAY_MS }))),
      bare: oneByOne(async (id) => (await queue.getJob(id))?.changeDelay(2 * DAY_MS)),
    },
    {
      call: 'cancelBulk',
      beside: 'getJob and remove',
      prepared: true,
      ours: (notices) => emails.cancelBulk(notices),
      bare: oneByOne(async (id) => (await queue.getJob(id))?.remove()),
    },
  ];
}
