import { fileURLToPath } from 'node:url';
import { type Scheduled } from '../src/index.ts';
import { eventually, startWorkerProcess } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import * as bullmq from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { mailer } from './mailer.ts';
import { startStage } from './stage.ts';

const file = fileURLToPath(new URL('fixtures/scheduler-process.ts', import.meta.url));

test('32 processes schedule the same notice at the same moment: one job, one email, and 31 answers "already-scheduled"', async () => {
  const stage = startStage(bullmq);
  const data = { url: redisUrl(), prefix: stage.prefix, delay: 1500 };
  const processes = await Promise.all(
    Array.from({ length: 32 }, (_, number) =>
      startWorkerProcess({ file, name: `p${number}`, data, armed: { ready: 'halt' } }),
    ),
  );
  onTestFinished(async () => void (await Promise.all(processes.map((one) => one.kill()))));
  await Promise.all(processes.map((one) => one.waitFor('ready', { timeoutMs: 30_000 })));
  for (const one of processes) one.goOn('ready');
  for (const one of processes) one.send('now');

  const answers = await eventually(() => {
    const answers = processes.flatMap(({ messages }) => messages as Scheduled[]);
    expect(answers).toHaveLength(32);
    return answers;
  });
  const states = answers.map(({ state }) => state).toSorted();
  expect(states).toEqual([...Array(31).fill('already-scheduled'), 'scheduled']);
  // All of them name the same job and the same moment.
  const whens = answers.map((one) => JSON.stringify('at' in one && [one.at, one.key]));
  expect(new Set(whens).size).toBe(1);
  expect(await stage.queue().getJobCounts('delayed', 'wait', 'active', 'completed')).toEqual({
    delayed: 1,
    wait: 0,
    active: 0,
    completed: 0,
  });

  const { sent } = mailer(stage, { dispatch: 'at-send' });
  await eventually(async () => expect(await stage.queue().getCompletedCount()).toBe(1));
  expect(sent).toHaveLength(1);
}, 60_000);
