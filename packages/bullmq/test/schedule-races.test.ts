import { resolveEmail } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { delayedEmails, once, type QueueLike } from '../src/index.ts';
import { type Job, onBothVersions, type Stage, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
  readonly by: string;
}

const states = [
  'never scheduled',
  'scheduled',
  'in doubt, without a job',
  'sent, without a job',
  'failed, its job kept',
  'scheduled again, its failed job removed',
  'claimed by a copy',
] as const;
type State = (typeof states)[number];

const others = [
  'schedule',
  'cancel',
  'resolve as not sent',
  'resolve as not sent, then schedule',
  'send a copy',
  'remove the job',
  'reschedule',
] as const;
type Other = (typeof others)[number];

/** More steps than the longest way of a call takes. */
const STEPS = 24;
const later = { delay: 3_600_000 };
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

/** A call that stops once, before its step `at`, while `meanwhile` runs. */
function openStepped(stage: Stage, at: number, meanwhile: () => Promise<unknown>) {
  let steps = 0;
  const step = async () => {
    steps += 1;
    if (steps === at) await meanwhile();
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

onBothVersions((bullmq) => {
  /** One email in a state, and what others do with it. */
  function openScene(stage: Stage, order: number) {
    const queue = stage.queue();
    const { ledger } = stage;
    const emails = delayedEmails<Notice>(queue as never, { ledger, key });
    const id = emails.keyOf({ order } as Notice);
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
      cancel: () => emails.cancel({ order } as Notice),
      'resolve as not sent': resolve,
      'resolve as not sent, then schedule': () => resolve().then(schedule),
      'send a copy': sendCopy,
      'remove the job': async () => {
        const jobs = await Promise.all([first, `${first}.2`].map((one) => queue.getJob(one)));
        await Promise.all(jobs.map(async (job) => job?.remove()));
      },
      reschedule: () => emails.reschedule({ order } as Notice, { delay: 7_200_000 }),
    };
    return { states, others, emails, elsewhere: () => sentElsewhere };
  }

  test.each(states)(
    'schedule() stops before each of its steps while another call runs: %s',
    async (state) => {
      const stage = startStage(bullmq);
      const queue = stage.queue();
      const emailsLeft = new Map<number, number>();
      const cases: { order: number; name: string; answers: string[]; mustLeave: boolean }[] = [];
      const scenes = new Map<number, ReturnType<typeof openScene>>();
      let order = 0;
      for (const other of others) {
        for (let at = 1; at <= STEPS; at += 1) {
          order += 1;
          const scene = openScene(stage, order);
          scenes.set(order, scene);
          await scene.states[state]();
          let reply: unknown;
          const stepped = openStepped(stage, at, async () => {
            reply = await scene.others[other]();
          });
          const { state: answer } = await stepped.emails.schedule({ order, by: 'this' }, later);
          if (stepped.steps() < at) break;
          const { state: otherAnswer = 'done' } = (reply ?? {}) as { state?: string };
          const answers = [answer, otherAnswer];
          const isPromised = answers.some((one) => /^(already-scheduled|scheduled)$/.test(one));
          const isUndone = /cancel|remove/.test(other);
          const name = `${state}, ${other} before step ${at}: ${answers.join(', ')}`;
          cases.push({ order, name, answers, mustLeave: isPromised && !isUndone });
          // One call scheduled it, and no more.
          const scheduled = answers.filter((one) => one === 'scheduled').length;
          if (!isUndone) expect([name, scheduled <= 1]).toEqual([name, true]);
        }
      }
      const processor = once(
        async ({ data }: Job) => {
          const { order: of } = data as Notice;
          emailsLeft.set(of, (emailsLeft.get(of) ?? 0) + 1);
        },
        { ledger: stage.ledger, key: (job) => key(job.data as Notice) },
      );
      await queue.promoteJobs();
      stage.worker(processor, { concurrency: 50 });
      await eventually(async () => {
        const counts = await queue.getJobCounts('wait', 'active');
        expect(counts).toEqual({ wait: 0, active: 0 });
      });
      expect(cases.length).toBeGreaterThanOrEqual(others.length * 3);
      for (const { order: of, name, mustLeave } of cases) {
        const left = (emailsLeft.get(of) ?? 0) + scenes.get(of)!.elsewhere();
        const doubt = (
          await stage.ledger.read(scenes.get(of)!.emails.keyOf({ order: of } as Notice))
        )?.state;
        expect([name, left <= 1]).toEqual([name, true]);
        if (mustLeave && doubt !== 'in-doubt' && state !== 'claimed by a copy') {
          expect([name, left]).toEqual([name, 1]);
        }
      }
    },
    120_000,
  );
});
