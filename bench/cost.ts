/**
 * What each email costs beyond bare BullMQ: commands that clients send, and bytes on the wire in
 * both directions, over all servers (the queue's, the three nodes, PostgreSQL). One worker of
 * concurrency 1, so that nothing is shared; the no-op processor, so that nothing but the system
 * talks.
 */
import type { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import type { SystemName } from './names.ts';
import { openProcessor } from './processors.ts';
import { type PostgresMeter, startPostgresMeter } from './postgres-meter.ts';
import type { Progress } from './progress.ts';
import { countRedisCommands, redisBytes } from './redis-meter.ts';
import { type Cost, rounded, setups } from './results.ts';
import { runJobs } from './run-jobs.ts';
import { onStage, type Server, type Stage } from './stage.ts';
import type { Work } from './system.ts';
import { systems } from './systems/index.ts';

const WARM_UP_JOBS = 20;

export function measureCost(args: Arguments, progress: Progress): Promise<Cost> {
  return onStage('own', async (stage) => {
    const jobs = args.jobs ?? 1000;
    const { counted, meters } = meteredStage(stage);
    const works = await openProcessor.noop(stage);
    const opened: { system: SystemName; work: Work }[] = [];
    for (const system of args.systems) {
      progress.step(`cost: ${systems[system].title} starts`);
      opened.push({ system, work: (await systems[system].open(counted))(works) });
    }
    const connection = stage.connect();
    const measure = async (work: Work) => {
      const run = (count: number) =>
        runJobs(work, { setup: setups['1'], jobs: count, connection, prefix: stage.prefix });
      // Scripts are loaded, and what a system asks once in its life is asked.
      await run(WARM_UP_JOBS);
      const bytes = await meters.bytes(() => run(jobs));
      const commands = await meters.commands(() => run(jobs));
      return { bytes: bytes / jobs, commands: commands / jobs };
    };

    progress.step('cost: bare BullMQ');
    const bare = await measure(works.plain);
    const commandsPerEmail: Partial<Record<SystemName, number>> = {};
    const wireBytesPerEmail: Partial<Record<SystemName, number>> = {};
    for (const { system, work } of opened) {
      progress.step(`cost: ${systems[system].title}`);
      const { bytes, commands } = await measure(work);
      commandsPerEmail[system] = rounded(commands - bare.commands);
      wireBytesPerEmail[system] = Math.round(bytes - bare.bytes);
    }
    return { commandsPerEmail, wireBytesPerEmail };
  });
}

type Count = (run: () => Promise<unknown>) => Promise<number>;

/** The same stage, and counters at those of its servers that are in use. */
function meteredStage(stage: Stage): {
  readonly counted: Stage;
  readonly meters: { readonly bytes: Count; readonly commands: Count };
} {
  const clients = new Map<Server, Redis>([[stage.redis, stage.connect()]]);
  let postgres: PostgresMeter | undefined;
  const counted: Stage = {
    ...stage,
    async nodes() {
      const nodes = await stage.nodes();
      for (const node of nodes) {
        if (!clients.has(node)) clients.set(node, stage.connect(node.url));
      }
      return nodes;
    },
    async postgres() {
      if (postgres) return postgres;
      postgres = await startPostgresMeter(await stage.postgres());
      stage.onEnd(postgres.stop);
      return postgres;
    },
  };
  const all = () => [...clients.values()];
  const bytesNow = async () =>
    sum(await Promise.all(all().map(redisBytes))) + (postgres?.bytes() ?? 0);
  return {
    counted,
    meters: {
      async bytes(run) {
        const before = await bytesNow();
        await run();
        return (await bytesNow()) - before;
      },
      async commands(run) {
        const before = postgres?.commands() ?? 0;
        const stops = await Promise.all(all().map(countRedisCommands));
        await run();
        const redis = sum(await Promise.all(stops.map((stop) => stop())));
        return redis + (postgres?.commands() ?? 0) - before;
      },
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
