import { resolveEmail } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { expect } from 'vitest';
import { delayedEmails, once, type QueueLike } from '../src/index.ts';
import type { Job, Stage } from './stage.ts';

export interface Notice {
  readonly order: number;
  readonly by: string;
}

export const states = [
  'never scheduled',
  'scheduled',
  'in doubt, without a job',
  'sent, without a job',
  'cancelled',
  'failed, its job kept',
  'scheduled again, its failed job removed',
  'claimed by a copy',
] as const;
export type State = (typeof states)[number];

export const others = [
  'schedule',
  'cancel',
  'resolve as not sent',
  'resolve as not sent, then schedule',
  'send a copy',
  'remove the job',
  'reschedule',
] as const;
export type Other = (typeof others)[number];

export const later = { delay: 3_600_000 };
const key = (data: Pick<Notice, 'order'>) => ['notice', data.order];

/** The same object, which runs `step` before each call of one of its methods. */
function stepping<T extends object>(target: T, methods: readonly string[], step: () => unknown): T {
  return new Proxy(target, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      if (!methods.includes(String(name))) return value.bind(of) as unknown;
      return async (...args: unknown[]) => {
        await step();
        return Reflect.apply(value, of, args) as unknown;
      };
    },
  });
}

/**
 * A producer that waits before each of its steps for what `before` returns. Its process is paused.
 */
export function openStepped(stage: Stage, before: (step: number) => Promise<unknown> | undefined) {
  let steps = 0;
  let waited: Promise<unknown> | undefined;
  // The whole process waits: also a step that is taken at the same time.
  const step = async () => {
    steps += 1;
    const number = steps;
    waited = waited ? waited.then(() => before(number)) : before(number);
    await waited;
  };
  const real = stage.queue() as unknown as QueueLike<Notice>;
  const clientOf = async () => {
    const client = await ((real.backend ?? real) as { client: Promise<object> }).client;
    return stepping(client, ['eval', 'exists', 'zscore'], step);
  };
  const jobMethods = ['getState', 'remove', 'changeDelay'];
  const queue: QueueLike<Notice> = {
    ...stepping(real, [], step),
    name: real.name,
    toKey: (type) => real.toKey(type),
    add: async (...args) => (await step(), real.add(...args)),
    addBulk: async (jobs) => (await step(), real.addBulk(jobs)),
    getJob: async (id) => {
      await step();
      const job = await real.getJob(id);
      return job && stepping(job, jobMethods, step);
    },
    get client() {
      return clientOf();
    },
    backend: undefined,
  };
  const ledger = stepping(stage.ledger, ['read', 'cancel'], step);
  return { emails: delayedEmails<Notice>(queue, { ledger, key }), steps: () => steps };
}

/** One email in a state, and what others do with it. */
export function openScene(stage: Stage, order: number) {
  const queue = stage.queue();
  const { ledger } = stage;
  const emails = delayedEmails<Notice>(queue as never, { ledger, key });
  const notice: Notice = { order, by: 'any' };
  const id = emails.keyOf(notice);
  let sentElsewhere = 0;
  const attempt = () => ({ key: id, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 });
  async function sendCopy(): Promise<void> {
    const copy = attempt();
    if ((await ledger.claim({ ...copy, dispatched: true })).state !== 'won') return;
    sentElsewhere += 1;
    await ledger.settle({ ...copy, outcome: 'sent' });
  }
  async function leaveInDoubt(): Promise<void> {
    await ledger.claim({ ...attempt(), leaseMs: 1, dispatched: true });
    await eventually(async () => expect((await ledger.read(id))?.state).toBe('in-doubt'), {
      everyMs: 1,
    });
  }
  async function resolve(): Promise<void> {
    const record = await ledger.read(id);
    if (record?.state !== 'in-doubt') return;
    await resolveEmail(
      { ledger },
      { key: id, token: record.token, verdict: 'not-sent', by: 'ada' },
    );
  }
  const schedule = () => emails.schedule({ order, by: 'other' }, later);
  async function fail(jobId: string): Promise<void> {
    const job = await queue.getJob(jobId);
    if (!job) return;
    await stage.redis.hset(queue.toKey(jobId), 'failedReason', 'refused', 'finishedOn', '1');
    await stage.redis.zrem(queue.toKey('delayed'), jobId);
    await stage.redis.zadd(queue.toKey('failed'), 1, jobId);
  }
  const first = `email-${id}`;
  const states: Record<State, () => Promise<unknown>> = {
    'never scheduled': async () => {},
    scheduled: () => emails.schedule({ order, by: 'before' }, later),
    'in doubt, without a job': leaveInDoubt,
    'sent, without a job': sendCopy,
    cancelled: () => emails.cancel(notice),
    'failed, its job kept': async () => {
      await emails.schedule({ order, by: 'before' }, later);
      await fail(first);
    },
    'scheduled again, its failed job removed': async () => {
      await emails.schedule({ order, by: 'before' }, later);
      await fail(first);
      await emails.schedule({ order, by: 'before' }, later);
      await (await queue.getJob(first))?.remove();
    },
    'claimed by a copy': () => ledger.claim(attempt()),
  };
  const others: Record<Other, () => Promise<unknown>> = {
    schedule,
    cancel: () => emails.cancel(notice),
    'resolve as not sent': resolve,
    'resolve as not sent, then schedule': () => resolve().then(schedule),
    'send a copy': sendCopy,
    'remove the job': async () => {
      const jobs = await Promise.all([first, `${first}.2`].map((one) => queue.getJob(one)));
      await Promise.all(jobs.map(async (job) => job?.remove()));
    },
    reschedule: () => emails.reschedule(notice, { delay: 7_200_000 }),
  };
  return { id, stage, emails, states, others, elsewhere: () => sentElsewhere };
}

/** An email in a state. */
export type Scene = ReturnType<typeof openScene>;

/** Runs all jobs of the scenes, and tells how many emails of each order have left. */
export async function sendAll(
  stage: Stage,
  scenes: ReadonlyMap<number, Scene>,
): Promise<(order: number) => number> {
  const queue = stage.queue();
  const left = new Map<number, number>();
  const processor = once(
    async ({ data }: Job) => {
      const { order } = data as Notice;
      left.set(order, (left.get(order) ?? 0) + 1);
    },
    { ledger: stage.ledger, key: (job) => key(job.data as Notice) },
  );
  await queue.promoteJobs();
  stage.worker(processor, { concurrency: 50 });
  await eventually(async () => {
    const counts = await queue.getJobCounts('wait', 'active');
    expect(counts).toEqual({ wait: 0, active: 0 });
  });
  return (order) => (left.get(order) ?? 0) + scenes.get(order)!.elsewhere();
}
