import { currentClaim } from '@sendonce/core';
import { eventually, type SeenCommand, watchCommands } from '@sendonce/testkit';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import * as lua from '../../redis/src/generated/scripts.ts';
import { once, type OnceOptions } from '../src/index.ts';
import { type BullMQ, type Job, onBothVersions, type Stage, startStage } from './stage.ts';

type Mode = NonNullable<OnceOptions<Job>['dispatch']>;

/** Every command that the server gets from a client, by its own account (MONITOR). */
async function watchClients(stage: Stage) {
  const seen: SeenCommand[] = [];
  const watch = await watchCommands(stage.redis, (one) => {
    if (one.source !== 'lua') seen.push(one);
  });
  stage.onEnd(watch.stop);
  return {
    caughtUp: watch.caughtUp,
    from: (source: string) => seen.filter((one) => one.source === source),
    /** Commands that move jobs of this stage, the wait for new ones aside. */
    scriptsOfQueue: () =>
      seen.filter(
        ({ command: [name = '', , , ...keys] }) =>
          /^eval(sha)?$/i.test(name) && keys.some((key) => key.startsWith(`${stage.prefix}:q:`)),
      ),
    clear: () => void (seen.length = 0),
  };
}

async function addressOf(client: Redis): Promise<string> {
  const id = await client.client('ID');
  const list = String(await client.client('LIST'));
  return new RegExp(`(?:^|\\n)id=${id} addr=(\\S+)`).exec(list)![1]!;
}

async function costOf(bullmq: BullMQ, jobs: number, concurrency: number, mode?: Mode) {
  const stage = startStage(bullmq);
  const commands = await watchClients(stage);
  const address = await addressOf(stage.redis);
  const processor = async () => {
    await currentClaim()?.dispatch();
    return 'sent';
  };
  // Without its doctor, which asks once in the life of a ledger, and with every command on one
  // connection.
  const ledger = { ...stage.ledger, doctor: async () => [] };
  delete ledger.settleVia;
  const options = {
    ledger,
    key: (job: Job) => job.data,
    dispatch: mode ?? 'at-send',
  };
  const wrapped = once(processor, options);
  const worker = stage.worker(mode ? wrapped : processor, { concurrency, autorun: false });
  const data = Array.from({ length: jobs }, (_, n) => ({ name: 'notice', data: n + 1 }));
  await stage.queue().addBulk(data);
  await worker.waitUntilReady();
  await commands.caughtUp();
  commands.clear();

  // The worker reports it, because a query to Redis would be counted.
  let completed = 0;
  worker.on('completed', () => (completed += 1));
  void worker.run();
  await eventually(() => expect(completed).toBe(jobs));
  await commands.caughtUp();
  const queueScripts = commands.scriptsOfQueue().length;
  const ledgerCommands = commands.from(address).map(({ command }) => command[0]!.toLowerCase());
  return { ledger: ledgerCommands, queueScripts };
}

onBothVersions((bullmq) => {
  test('one job at a time costs two commands, and three at-send, and none of BullMQ', async () => {
    // NOSCRIPT costs a command once in the life of a server, not once for each job.
    const loader = startStage(bullmq);
    for (const script of Object.values(lua)) await loader.redis.script('LOAD', script);
    const jobs = 20;
    const bare = await costOf(bullmq, jobs, 1);
    const byDefault = await costOf(bullmq, jobs, 1, 'before-processor');
    const atSend = await costOf(bullmq, jobs, 1, 'at-send');
    expect(bare.ledger).toEqual([]);
    expect(byDefault.ledger).toEqual(Array(2 * jobs).fill('evalsha'));
    expect(atSend.ledger).toEqual(Array(3 * jobs).fill('evalsha'));
    // The stalled check, or one more fetch, may fall into one of the runs.
    for (const { queueScripts } of [byDefault, atSend]) {
      expect(queueScripts - bare.queueScripts).toBeLessThanOrEqual(2);
    }
    expect(bare.queueScripts).toBeGreaterThanOrEqual(jobs);
  });

  test('64 jobs in parallel share their calls', async () => {
    const jobs = 64;
    const byDefault = await costOf(bullmq, jobs, jobs, 'before-processor');
    const atSend = await costOf(bullmq, jobs, jobs, 'at-send');
    expect(byDefault.ledger.length).toBeLessThan(jobs);
    expect(atSend.ledger.length).toBeLessThan(jobs);
  });
});
