import { deriveKey, isSendonceError, type Ledger, memoryLedger } from '@sendonce/core';
import { Worker } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { delayedEmails, Once, once, OnceWorker } from '../src/index.ts';
import { key, notice, select } from './mailer.ts';
import { silentJournal } from './silent-journal.ts';
import { type Job, onBothVersions, type Process, startStage } from './stage.ts';

const modes = ['before-processor', 'at-send'] as const;

/** A ledger whose claims take a while. */
function slow(ledger: Ledger): Ledger {
  const slower: { -readonly [Name in keyof Ledger]: Ledger[Name] } = {
    ...ledger,
    async claim(request) {
      await sleep(200);
      return ledger.claim(request);
    },
  };
  delete slower.settleVia;
  return slower;
}

onBothVersions((bullmq) => {
  describe.each(modes)('%s: a job that is cancelled while it is claimed', (dispatch) => {
    const wrappers: readonly [string, (processor: Process, ledger: Ledger) => Process][] = [
      ['once()', (processor, ledger) => once(processor, { ledger, key: select, dispatch })],
      [
        '@Once()',
        (processor, ledger) => {
          const decorate = Once({ ledger, key: select, dispatch });
          const { value } = decorate({}, 'process', { value: processor }) as { value: Process };
          return value;
        },
      ],
    ];
    test.each(wrappers)(
      '%s: its processor does not start, and the claim is given back',
      async (_, wrap) => {
        const stage = startStage(bullmq);
        let starts = 0;
        const processor: Process = async (_job, _token, _signal) => void (starts += 1);
        const host = { process: wrap(processor, slow(stage.ledger)) };
        const worker = stage.worker(
          // As a framework calls the method of an object.
          (job: Job, token?: string, signal?: AbortSignal) => host.process(job, token, signal),
        );
        worker.on('active', (job) => setTimeout(() => worker.cancelJob(job.id!, 'user'), 50));
        const job = await stage.queue().add('notice', { order: 7 });
        const seen = await stage.ended(job);
        expect(seen.state).toBe('failed');
        expect(seen.failedReason).toContain('cancelled before its processor started');
        expect(starts).toBe(0);
        expect(await stage.ledger.read(key)).toBeUndefined();
      },
    );
  });

  test.each(modes)(
    'OnceWorker, %s: a job that is cancelled while it is claimed',
    async (dispatch) => {
      // It extends the Worker of the module `bullmq`, which is the newest one here.
      if (bullmq.Worker !== Worker) return;
      const stage = startStage(bullmq);
      let starts = 0;
      const processor: Process = async (_job, _token, _signal) => void (starts += 1);
      const { connection, prefix } = stage;
      const once = { ledger: slow(stage.ledger), key: select, dispatch };
      const worker = stage.adopt(new OnceWorker('q', processor, { connection, prefix, once }));
      worker.on('active', (job) => setTimeout(() => worker.cancelJob(job.id!, 'user'), 50));
      const seen = await stage.ended(await stage.queue().add('notice', { order: 7 }));
      expect(seen.failedReason).toContain('cancelled before its processor started');
      expect(starts).toBe(0);
      expect(await stage.ledger.read(key)).toBeUndefined();
    },
  );

  test('`this` in a processor is its worker', async () => {
    const stage = startStage(bullmq);
    const seen: unknown[] = [];
    const withSignal = async function (this: unknown, _j: Job, _t?: string, _s?: AbortSignal) {
      seen.push(this);
    };
    const plain = async function (this: unknown) {
      seen.push(this);
    };
    const options = (name: string) => ({ ledger: stage.ledger, key: () => [name] });
    const one = stage.worker(once(withSignal as Process, options('one')));
    const two = stage.worker(once(plain as Process, options('two')), { queue: 'two' });
    await stage.ended(await notice(stage));
    await stage.ended(await stage.queue('two').add('notice', {}), { queue: 'two' });
    expect(seen).toEqual([one, two]);
  });

  test('a job with keepLogs keeps its own lines', async () => {
    const stage = startStage(bullmq);
    stage.worker(
      once(
        async (job: Job) => {
          await job.log('mine 1');
          await job.log('mine 2');
          return { id: 7n };
        },
        { ledger: stage.ledger, key: select },
      ),
    );
    const seen = await stage.ended(
      await stage.queue().add('notice', { order: 7 }, { keepLogs: 2 }),
    );
    expect(seen.logs).toEqual(['mine 1', 'mine 2']);
  });

  describe('a scheduler', () => {
    const DAY_MS = 86_400_000;
    async function deploys(schedulerKey: 'per-iteration' | 'complete' | undefined) {
      const stage = startStage(bullmq);
      const queue = stage.queue();
      const ran: unknown[] = [];
      const options = { ledger: stage.ledger, key: () => ['digest', '2026-11-30'], schedulerKey };
      stage.worker(once(async (job: Job) => void ran.push(job.id), options));
      const jobs = async () => (await queue.getCompletedCount()) + (await queue.getFailedCount());
      const upsert = (id: string, every: number) =>
        queue.upsertJobScheduler(id, { every }, { name: 'digest', data: { user: 1 } });
      await upsert('daily', DAY_MS);
      await expect.poll(jobs, { timeout: 5_000 }).toBe(1);
      await upsert('daily-digest', DAY_MS);
      await expect.poll(jobs, { timeout: 5_000 }).toBe(2);
      await queue.add('digest', { user: 1 });
      await expect.poll(jobs, { timeout: 5_000 }).toBe(3);
      return ran.length;
    }

    test('adds its iteration to the key by default: each one is an email', async () => {
      expect(await deploys(undefined)).toBe(3);
    });

    test('whose key is complete sends one email for each key, renamed and by hand', async () => {
      expect(await deploys('complete')).toBe(1);
    });
  });

  test.each(['deduplication', 'debounce', 'parent', 'repeat'])(
    'a queue whose default job options have "%s" is refused: it would lose emails',
    async (name) => {
      const stage = startStage(bullmq);
      const defaultJobOptions = { [name]: { id: 'notices', ttl: 60_000 } };
      const { connection, prefix } = stage;
      const queue = stage.adopt(new bullmq.Queue('d', { connection, prefix, defaultJobOptions }));
      const options = { ledger: stage.ledger, key: (data: object) => ['notice', data] };
      expect(() => delayedEmails(queue, options)).toThrow(
        expect.objectContaining({ option: `defaultJobOptions.${name}` }),
      );
      await queue.waitUntilReady();
    },
  );
});

describe('a unit test that calls the wrapped function', () => {
  test.each(modes)('%s: works with { data } alone', async (dispatch) => {
    const ledger = memoryLedger();
    const processor = once(async (job: Job) => `sent ${job.data.order}`, {
      ledger,
      key: select,
      dispatch,
      ...(dispatch === 'at-send' && { undispatched: 'sent' }),
      journal: silentJournal,
      label: (job) => `order ${job.data.order}`,
    });
    const job = { data: { order: 7 } } as Job;
    expect(await processor(job)).toBe('sent 7');
    expect(await processor(job)).toBe('sent 7');
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 1 });
    expect((await ledger.read(deriveKey(['notice', 7])))?.state).toBe('sent');
  });

  test('learns what is missing without a job', async () => {
    const processor = once(async (_job: Job) => 1, { ledger: memoryLedger(), key: select });
    const failed = processor(undefined as never);
    await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_OPTION' });
    await expect(failed).rejects.toThrow('{ data }');
  });
});

describe('callbacks', () => {
  const rejects = async () => {
    throw new Error('a broken callback');
  };
  const job = { data: { order: 7 } } as Job;

  test.each(['key', 'fingerprint'] as const)(
    'an async "%s" is refused, and nothing was sent',
    async (option) => {
      let runs = 0;
      const processor = once(async (_job: Job) => void (runs += 1), {
        ledger: memoryLedger(),
        key: select,
        [option]: rejects,
      });
      const failed = processor(job);
      await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_KEY' });
      await expect(failed).rejects.toThrow(`"${option}" returned a promise`);
      expect(runs).toBe(0);
    },
  );

  test('"label", "onEvent" and "classify" decide nothing by rejecting or throwing', async () => {
    const throws = () => {
      throw new Error('a broken callback');
    };
    for (const broken of [rejects, throws]) {
      const ledger = memoryLedger();
      const callbacks = {
        journal: silentJournal,
        label: broken,
        onEvent: broken,
        classify: broken,
      } as never;
      const processor = once(async (_job: Job) => 'sent', {
        ledger,
        key: select,
        ...(callbacks as object),
      });
      expect(await processor(job)).toBe('sent');
      const fails = once(rejects, {
        ledger: memoryLedger(),
        key: select,
        ...(callbacks as object),
      });
      const error: unknown = await fails(job).catch((caught: unknown) => caught);
      expect(isSendonceError((error as Error).cause, 'SENDONCE_IN_DOUBT')).toBe(true);
    }
  });
});
