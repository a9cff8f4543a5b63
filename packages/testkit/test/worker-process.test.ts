import { afterEach, expect, test } from 'vitest';
import { eventually, startWorkerProcess, type WorkerProcessOptions } from '../src/index.ts';

const file = new URL('./fixtures/counting-worker.ts', import.meta.url);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: Partial<WorkerProcessOptions> = {}) {
  const worker = await startWorkerProcess({ file, ...options });
  cleanups.push(worker.kill);
  return worker;
}

test('a worker knows its name, its data and its source file, and finds its packages', async () => {
  const worker = await start({ name: 'w1', data: { queue: 'q' } });
  const { data } = await worker.waitFor('ready');
  expect(data).toEqual({ name: 'w1', data: { queue: 'q' }, here: file.href, status: 'wait' });
});

test('messages go both ways', async () => {
  const worker = await start();
  worker.send({ n: 1 });
  await eventually(() => expect(worker.messages).toEqual([{ echo: { n: 1 } }]));
});

test('a worker halts at an armed point until it is continued, and is killed exactly there', async () => {
  const worker = await start({ armed: { step: 'halt' } });
  await worker.waitFor('step');
  await expect(worker.waitFor('step', { timeoutMs: 100 })).rejects.toThrow('did not reach');
  await worker.arm('step', 'halt');
  worker.goOn('step');
  await expect(worker.waitFor('step')).resolves.toEqual({ point: 'step', data: 1 });
  await expect(worker.kill()).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  await expect(worker.waitFor('step')).rejects.toThrow('ended (SIGKILL)');
});

test('a worker kills itself at a point, and its report still arrives', async () => {
  const worker = await start({ armed: { ready: 'kill' } });
  await worker.waitFor('ready');
  await expect(worker.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  await expect(worker.waitFor('step')).rejects.toThrow('ended');
});

test('a worker that is stopped, from inside or outside, continues later', async () => {
  const worker = await start({ armed: { ready: 'stop' } });
  await worker.waitFor('ready');
  await worker.stopped();
  await expect(worker.waitFor('step', { timeoutMs: 100 })).rejects.toThrow();
  worker.continue();
  await worker.waitFor('step');
  await worker.stop();
  // What was on its way has arrived after this.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (;;) {
    if (
      await worker.waitFor('step', { timeoutMs: 50 }).then(
        () => false,
        () => true,
      )
    )
      break;
  }
  worker.continue();
  await worker.waitFor('step');
});

test('close ends a worker, also a stopped one; a crash shows its output with the source line', async () => {
  const worker = await start();
  await worker.stop();
  await expect(worker.close()).resolves.toEqual({ code: null, signal: 'SIGTERM' });

  const crashing = await start();
  await crashing.waitFor('ready');
  crashing.send('throw');
  await expect(crashing.exited).resolves.toEqual({ code: 1, signal: null });
  expect(crashing.output()).toMatch(/Error: thrown on request\n.*counting-worker\.ts:\d+/);
});

test('32 workers start in reasonable time', async () => {
  const before = performance.now();
  const workers = await Promise.all(Array.from({ length: 32 }, (_, i) => start({ name: `w${i}` })));
  await Promise.all(workers.map((worker) => worker.waitFor('ready', { timeoutMs: 20_000 })));
  console.log(`32 workers: ${Math.round(performance.now() - before)} ms`);
  await Promise.all(workers.map((worker) => worker.kill()));
});
