/**
 * Systems side by side: in each round bare BullMQ first and then one system after the other, each
 * ratio to the bare round beside it, and the median over the rounds is given with its spread.
 */
import { median } from '@sendonce/testkit';
import type { Arguments } from './arguments.ts';
import type { ProcessorName, SystemName } from './names.ts';
import { openProcessor } from './processors.ts';
import type { Progress } from './progress.ts';
import { type Cell, rounded, type Setup, setups } from './results.ts';
import { type JobRun, runJobs } from './run-jobs.ts';
import { onStage } from './stage.ts';
import type { Work } from './system.ts';
import { systems } from './systems/index.ts';

/**
 * A processor that waits would need minutes for as many jobs as one that does nothing. At a high
 * concurrency there are more jobs, so that the start of the workers is a small part of the run.
 */
const defaultJobs: Readonly<Record<ProcessorName, { least: number; perPlace: number }>> = {
  noop: { least: 4000, perPlace: 50 },
  '5ms': { least: 640, perPlace: 50 },
  smtp: { least: 640, perPlace: 50 },
  'smtp-50ms': { least: 200, perPlace: 0 },
};

function jobsFor(processor: ProcessorName, { workers, perWorker }: Setup): number {
  const { least, perPlace } = defaultJobs[processor];
  return Math.max(least, perPlace * workers * perWorker);
}

interface Contestant {
  readonly system: SystemName;
  readonly work: Work;
}

export interface Throughput {
  readonly cells: readonly Cell[];
  readonly servers: readonly string[];
}

export function measureThroughput(args: Arguments, progress: Progress): Promise<Throughput> {
  return onStage('found', async (stage) => {
    progress.step('throughput: starting the servers');
    const opened = [];
    for (const system of args.systems) {
      opened.push({ system, guard: await systems[system].open(stage) });
    }
    const connection = stage.connect();
    const cells: Cell[] = [];
    for (const processor of args.processors) {
      const works = await openProcessor[processor](stage);
      const contestants = opened.map(({ system, guard }) => ({ system, work: guard(works) }));
      for (const name of args.setups) {
        const setup = setups[name];
        const title = `${processor}, ${setup.title}`;
        progress.step(`throughput: ${title}`);
        const jobs = args.jobs ?? jobsFor(processor, setup);
        const run = { setup, jobs, connection, prefix: stage.prefix };
        const rounds = await playRounds(args.rounds, works.plain, contestants, run, (round, who) =>
          progress.show(`${title}: round ${round} of ${args.rounds}, ${who}`),
        );
        cells.push(
          ...contestants.map(({ system }) => cellOf(rounds, { system, processor, setup })),
        );
      }
    }
    const usesPostgres = args.systems.includes('postgres-ledger');
    const servers = [stage.redis.how, ...(usesPostgres ? [(await stage.postgres()).how] : [])];
    return { cells, servers };
  });
}

/** Jobs per second of all systems in one round. */
interface Round {
  readonly bare: number;
  readonly rates: ReadonlyMap<SystemName, number>;
}

async function playRounds(
  count: number,
  bareWork: Work,
  contestants: readonly Contestant[],
  run: JobRun,
  tell: (round: number, who: string) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round <= count; round++) {
    tell(round, 'bare BullMQ');
    const bare = await runJobs(bareWork, run);
    const rates = new Map<SystemName, number>();
    for (const { system, work } of contestants) {
      tell(round, systems[system].title);
      rates.set(system, await runJobs(work, run));
    }
    // The first round warms up.
    if (round > 0) rounds.push({ bare, rates });
  }
  return rounds;
}

function cellOf(
  rounds: readonly Round[],
  { system, processor, setup }: { system: SystemName; processor: ProcessorName; setup: Setup },
): Cell {
  const ratios = rounds.map(({ bare, rates }) => rates.get(system)! / bare);
  return {
    system,
    processor,
    concurrency: setup.concurrency,
    ratio: rounded(median(ratios), 3),
    from: rounded(Math.min(...ratios), 3),
    to: rounded(Math.max(...ratios), 3),
    bareJobsPerSecond: Math.round(median(rounds.map(({ bare }) => bare))),
  };
}
