import { memoryLedger, NotSentError, OptionError } from '@sendonce/core';
import { DelayedError, RateLimitError, UnrecoverableError } from 'bullmq';
import { describe, expect, test, vi } from 'vitest';
import { once, type ProcessorOf } from '../src/index.ts';
import { fakeJob, runJob, runJobs } from '../src/testing/index.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

const data = { order: 7, to: 'ada@example.org' };
const opts = { attempts: 2, backoff: 60_000 };

/** What a real worker and runJob() have to agree on. */
interface Seen {
  readonly state: string;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly returnvalue: unknown;
  readonly failedReason: string | undefined;
  readonly progress: unknown;
  readonly data: unknown;
  readonly logs: readonly string[];
}

const inAnHour = () => Date.now() + 3_600_000;

const processors: Record<string, ProcessorOf<Job, unknown>> = {
  'returns a value': async () => ({ messageId: '<7@shop.example>' }),
  'returns nothing': async () => {},
  'fails, with attempts left': async () => {
    throw new Error('connect ECONNREFUSED');
  },
  'fails unrecoverably': async () => {
    throw new UnrecoverableError('no such order');
  },
  'returns what is not JSON': async () => 7n,
  'is delayed': async (job, token) => {
    await job.moveToDelayed(inAnHour(), token);
    throw new DelayedError();
  },
  'reads its data, and writes data, progress and log': async (job) => {
    await job.log(`${job.name} of ${job.queueName}, due ${typeof job.data.due}`);
    await job.updateProgress({ done: 1 });
    await job.updateData({ ...job.data, due: new Date(0) });
    return [job.data.due, job.attemptsMade, job.attemptsStarted, typeof job.token, job.delay];
  },
  'is skipped by once()': once(async () => 'sent', {
    ledger: memoryLedger(),
    key: (job: Job) => ['notice', job.data.order],
    testMode: true,
  }),
};

onBothVersions((bullmq) => {
  test.each(Object.entries(processors))(
    'a processor that %s: runJob() does what a worker does',
    async (_name, processor) => {
      const stage = startStage(bullmq);
      const due = new Date(1_795_000_000_000);
      const added = await stage.queue().add('notice', { ...data, due }, opts);
      const worker = stage.worker(processor);
      const real = await settled(async () => {
        // The state first: what is read after it is at least as new.
        const state = await stage.queue().getJobState(added.id!);
        const job = (await stage.queue().getJob(added.id!))!;
        const { logs } = await stage.queue().getJobLogs(added.id!);
        return { ...seenOf(job, state), logs };
      });
      await worker.close();

      const job = fakeJob({ name: 'notice', queueName: 'q', data: { ...data, due }, opts });
      const { state } = await runJob(processor, job);
      // BullMQ delays a job that it retries by its backoff.
      const fake = seenOf(job, state === 'retried' ? 'delayed' : state);
      expect({ ...fake, logs: job.logs }).toEqual(real);
    },
  );
});

function seenOf(job: Job, state: string): Omit<Seen, 'logs'> {
  const { attemptsMade, attemptsStarted, returnvalue, failedReason, progress } = job;
  return JSON.parse(
    JSON.stringify({
      state,
      attemptsMade,
      attemptsStarted,
      returnvalue: returnvalue ?? null,
      failedReason,
      progress,
      data: job.data,
    }),
  ) as Seen;
}

/** Waits until the job has been run once. */
async function settled(look: () => Promise<Seen>): Promise<Seen> {
  let seen = await look();
  await expect
    .poll(async () => (seen = await look()).attemptsStarted > 0 && seen.state)
    .toMatch(/completed|failed|delayed/);
  return seen;
}

describe('runJob()', () => {
  const key = (job: Job) => ['notice', job.data.order];

  test('shows the error of once() with its code, and that no attempt follows', async () => {
    const processor = once(
      async () => {
        throw new Error('read ECONNRESET');
      },
      { ledger: memoryLedger(), key },
    );
    const job = fakeJob({ data, opts: { attempts: 5 } });
    const run = await runJob(processor, job);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'SENDONCE_IN_DOUBT' } });
    expect(job.logs).toEqual([expect.stringMatching(/^sendonce: in doubt: dispatched/)]);
  });

  test('retries what was certainly not sent, until no attempts are left', async () => {
    const processor = once(
      async () => {
        throw new NotSentError('The template is missing.');
      },
      { ledger: memoryLedger(), key },
    );
    const job = fakeJob({ data, opts: { attempts: 2 } });
    expect((await runJob(processor, job)).state).toBe('retried');
    expect((await runJob(processor, job)).state).toBe('failed');
    expect(job).toMatchObject({ attemptsMade: 2, failedReason: expect.stringMatching('template') });
  });

  test('says "waiting" for a rate limit, and uses up no attempt', async () => {
    const job = fakeJob({ data });
    const limited = async () => {
      throw new RateLimitError();
    };
    expect((await runJob(limited, job)).state).toBe('waiting');
    expect(job.attemptsMade).toBe(0);
  });

  test('passes a signal only to a processor that declares three parameters', async () => {
    const seen: unknown[] = [];
    await runJob(async (...all: unknown[]) => seen.push(all.length), fakeJob({ data }));
    const controller = new AbortController();
    const three = async (_job: Job, _token?: string, signal?: AbortSignal) => seen.push(signal);
    await runJob(three, fakeJob({ data }), { signal: controller.signal });
    expect(seen).toEqual([2, controller.signal]);
  });

  test('refuses what would make a worker lose track of the job', async () => {
    const unmoved = async () => {
      throw new DelayedError();
    };
    await expect(runJob(unmoved, fakeJob({ data }))).rejects.toThrow(/has not moved its job/);
    const returned = async (job: Job, token?: string) => job.moveToDelayed(inAnHour(), token);
    await expect(runJob(returned, fakeJob({ data }))).rejects.toThrow(/and returned/);
  });
});

describe('runJobs()', () => {
  test('runs 32 copies at once, and the busy ones again: one email, 32 completed jobs', async () => {
    const send = vi.fn(async () => ({ messageId: '<7@shop.example>' }));
    const processor = once(send, {
      ledger: memoryLedger(),
      key: (job: Job) => ['notice', job.data.order],
    });
    const copies = Array.from({ length: 32 }, () => fakeJob({ data }));
    const runs = await runJobs(processor, copies);
    expect(runs.map(({ state, value }) => [state, value])).toEqual(
      copies.map(() => ['completed', { messageId: '<7@shop.example>' }]),
    );
    expect(send).toHaveBeenCalledOnce();
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 31, busy: 31 });
    expect(new Set(copies.map(({ id }) => id)).size).toBe(32);
  });

  test('ends with an error for a job that is delayed again and again', async () => {
    const delayed = async (job: Job, token?: string) => {
      await job.moveToDelayed(inAnHour(), token);
      throw new DelayedError();
    };
    const runs = runJobs(delayed, [fakeJob({ data, id: '7' })]);
    await expect(runs).rejects.toThrow(
      'The job 7 has not ended after 100 runs: it is delayed again',
    );
  });
});

describe('fakeJob()', () => {
  test('keeps its last log lines only, if the job has keepLogs', async () => {
    const job = fakeJob({ data, opts: { keepLogs: 2 } });
    for (const row of ['one', 'two', 'three']) await job.log(row);
    expect(job.logs).toEqual(['two', 'three']);
  });

  test('refuses data that BullMQ could not store, and options that do not exist', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const wrong of [cycle, 7n, () => {}]) {
      expect(() => fakeJob({ data: wrong })).toThrow(OptionError);
    }
    expect(() => fakeJob({ data, atemptsMade: 1 } as never)).toThrow(/"attemptsMade"/);
    expect(() => fakeJob(7 as never)).toThrow(OptionError);
  });
});
