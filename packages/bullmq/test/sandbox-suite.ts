import { deriveKey } from '@sendonce/core';
import { bundleWorker, eventually } from '@sendonce/testkit';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type OnceOptions, OnceWorker } from '../src/index.ts';
import type { SandboxData } from './fixtures/sandboxed-processor.ts';
import { type BullMQ, type Job, nextFailure, startStage, type WorkerOptions } from './stage.ts';

const source = new URL('./fixtures/sandboxed-processor.ts', import.meta.url);
const select = (job: Job) => ['notice', job.data.order];

/**
 * The tests of OnceWorker, which extends the Worker of the module `bullmq`: a test file that mocks
 * that module runs them on another version.
 */
export function sandboxSuite(bullmq: BullMQ): void {
  async function start(workerOptions: WorkerOptions, options: Partial<OnceOptions<Job>> = {}) {
    const stage = startStage(bullmq);
    const folder = mkdtempSync(join(tmpdir(), 'sendonce-sandbox-'));
    stage.onEnd(() => rmSync(folder, { recursive: true }));
    const outbox = join(folder, 'outbox');
    writeFileSync(outbox, '');
    const events: string[] = [];
    const worker = new OnceWorker('q', pathToFileURL(await bundleWorker(source)), {
      connection: stage.connection,
      prefix: stage.prefix,
      ...workerOptions,
      once: {
        ledger: stage.ledger,
        key: select,
        onEvent: (event) => events.push(event.type),
        ...options,
      },
    });
    stage.adopt(worker);
    return {
      stage,
      worker,
      events,
      sent: () => readFileSync(outbox, 'utf8').split('\n').filter(Boolean).map(Number),
      add: (data: Omit<SandboxData, 'outbox'>, attempts = 3) =>
        stage.queue().add('notice', { ...data, outbox }, { attempts }),
    };
  }

  describe.each([
    ['a child process', {}],
    ['a worker thread', { useWorkerThreads: true }],
  ])('a processor file in %s', (_name, workerOptions: WorkerOptions) => {
    test('does not run in test mode', async () => {
      const { stage, add, sent } = await start(workerOptions, { testMode: true });
      const seen = await stage.ended(await add({ order: 7 }));
      expect(seen).toMatchObject({ state: 'completed', returnvalue: null });
      expect(seen.logs).toEqual(['sendonce: skipped (test-mode): not sent']);
      expect(sent()).toEqual([]);
    });

    test('skips by what skipEmail() returns', async () => {
      const { stage, add, sent } = await start(workerOptions);
      const seen = await stage.ended(await add({ order: 7, act: 'skip' }));
      expect(seen).toMatchObject({ state: 'completed', returnvalue: null });
      expect(seen.logs).toEqual(['sendonce: skipped (unsubscribed): not sent']);
      const record = await stage.ledger.read(deriveKey(['notice', 7]));
      expect(record).toMatchObject({ state: 'skipped', note: 'unsubscribed' });
      expect(sent()).toEqual([]);
    });

    test('sends once, and a copy completes with the result of the original', async () => {
      const { stage, worker, add, sent } = await start(workerOptions);
      expect(worker).toBeInstanceOf(bullmq.Worker);
      const returnvalue = { order: 7, attempt: 1 };
      expect(await stage.ended(await add({ order: 7 }))).toMatchObject({ returnvalue });
      const copy = await stage.ended(await add({ order: 7 }));
      expect(copy).toMatchObject({ state: 'completed', returnvalue });
      expect(copy.logs).toEqual([expect.stringMatching(/^sendonce: duplicate of .* by q:1 at/)]);
      expect(await stage.ended(await add({ order: 8 }))).toMatchObject({ state: 'completed' });
      expect(sent()).toEqual([7, 8]);
    });

    test('a copy that comes meanwhile is delayed, and uses up no attempt', async () => {
      const { stage, add, sent, events } = await start({ ...workerOptions, concurrency: 2 });
      const jobs = [await add({ order: 7, act: 'slow' }), await add({ order: 7, act: 'slow' })];
      for (const job of jobs) {
        const returnvalue = { order: 7, attempt: 1 };
        expect(await stage.ended(job)).toMatchObject({ attemptsMade: 1, returnvalue });
      }
      expect(events).toContain('busy');
      expect(sent()).toEqual([7]);
    });

    test('NotSentError is known by its code across the boundary: retried', async () => {
      const { stage, add, sent, events } = await start(workerOptions);
      const job = await add({ order: 7, act: 'not-sent-once' });
      expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 2 });
      expect(events.slice(0, 3)).toEqual(['claimed', 'dispatched', 'released']);
      expect(sent()).toEqual([7]);
    });

    test.each(['fail', 'exit'] as const)(
      '%s after the email: in doubt, not retried',
      async (act) => {
        const { stage, worker, add, sent } = await start(workerOptions);
        const failure = nextFailure(worker);
        const job = await add({ order: 7, act });
        expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
        expect(await failure).toMatchObject({ code: 'SENDONCE_IN_DOUBT' });
        expect(await stage.ledger.read(deriveKey(['notice', 7]))).toMatchObject({
          state: 'in-doubt',
        });
        expect(sent()).toEqual([7]);
        // The next job gets a process or thread that works.
        expect(await stage.ended(await add({ order: 8 }))).toMatchObject({ state: 'completed' });
      },
    );

    test('progress, log lines and DelayedError work as without the wrapper', async () => {
      const { stage, add, sent } = await start(workerOptions);
      const seen = await stage.ended(await add({ order: 7, act: 'progress' }));
      expect(seen).toMatchObject({ progress: { step: 'rendered' }, logs: ['rendered'] });
      const delayed = await stage.ended(await add({ order: 8, act: 'delay-once' }));
      expect(delayed).toMatchObject({ state: 'completed', attemptsMade: 1, attemptsStarted: 2 });
      expect(sent()).toEqual([7, 8]);
    });
  });

  test('at-send is refused for a file, and the error says what to do', async () => {
    const stage = startStage(bullmq);
    const { connection, prefix, ledger } = stage;
    const file = pathToFileURL(await bundleWorker(source));
    const options = { ledger, key: select, dispatch: 'at-send' } as const;
    for (const processor of [file, file.pathname]) {
      expect(() => new OnceWorker('q', processor, { connection, prefix, once: options })).toThrow(
        expect.objectContaining({
          code: 'SENDONCE_OPTION',
          option: 'dispatch',
          message: expect.stringMatching(
            /"before-processor" for a sandboxed file.*pass a function/,
          ),
        }),
      );
    }
  });

  test.each([null, undefined])('no processor (%s) is refused', (processor) => {
    const { connection, prefix, ledger } = startStage(bullmq);
    const options = { connection, prefix, once: { ledger, key: select } };
    expect(() => new OnceWorker('q', processor as unknown as string, options)).toThrow(
      expect.objectContaining({
        option: 'processor',
        message: expect.stringContaining('getNextJob'),
      }),
    );
  });

  test('wrong options are refused before anything connects', () => {
    const { connection, prefix } = startStage(bullmq);
    const make = (once: unknown) => () =>
      new OnceWorker('q', 'file.js', { connection, prefix, once: once as OnceOptions<Job> });
    expect(make(undefined)).toThrow(expect.objectContaining({ code: 'SENDONCE_OPTION' }));
    expect(make({})).toThrow(expect.objectContaining({ option: 'ledger' }));
  });

  test('a function goes through once() as well, at-send and signal included', async () => {
    const stage = startStage(bullmq);
    const { connection, prefix, ledger } = stage;
    const signals: unknown[] = [];
    const sent: string[] = [];
    const worker = new OnceWorker(
      'q',
      async (job: Job, _token?: string, signal?: AbortSignal) => {
        signals.push(signal);
        const { currentClaim } = await import('@sendonce/core');
        await currentClaim()!.dispatch();
        sent.push(job.id ?? '');
        return 'the original';
      },
      { connection, prefix, once: { ledger, key: select, dispatch: 'at-send' } },
    );
    stage.adopt(worker);
    const jobs = [1, 2].map(() => stage.queue().add('notice', { order: 7 }));
    for (const job of await Promise.all(jobs)) {
      expect(await stage.ended(job)).toMatchObject({ returnvalue: 'the original' });
    }
    expect(sent).toHaveLength(1);
    expect(signals).toEqual([expect.any(AbortSignal)]);
    await eventually(() => expect(worker.isRunning()).toBe(true));
  });
}
