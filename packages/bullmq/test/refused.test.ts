import { currentClaim, memoryLedger, NotSentError } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { brevoTransport } from '@sendonce/providers';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { describe, expect, test, vi } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { key, select } from './mailer.ts';
import { type Job, onBothVersions, type Stage, startStage, type WorkerOptions } from './stage.ts';

/** A worker whose provider refuses the first emails, and then takes them. */
function sender(
  stage: Stage,
  options: Partial<OnceOptions<Job>> & {
    readonly refuses?: number;
    readonly waitMs?: unknown;
  } = {},
  worker?: WorkerOptions & { queue?: string },
) {
  const { refuses = 1, waitMs = 400, ...given } = options;
  const runs: number[] = [];
  const sent: unknown[] = [];
  const processor = once(
    async (job: Job) => {
      runs.push(Date.now());
      const email = currentClaim()!.begin();
      await email.dispatch();
      if (runs.length > refuses) {
        sent.push(job.data.order);
        email.report({ verdict: 'sent' });
        return 'sent';
      }
      const report = { verdict: 'refused', note: '429', retryAfterMs: waitMs } as object;
      email.report(report as Parameters<typeof email.report>[0]);
      throw new Error('Too many requests.');
    },
    { ledger: stage.ledger, key: select, dispatch: 'at-send', ...given },
  );
  stage.worker(processor, worker);
  return { runs, sent, counters: processor.counters };
}

const add = (stage: Stage, options?: object) => stage.queue().add('notice', { order: 7 }, options);
const comesBack = (seconds: number) =>
  `sendonce: refused for now (429): not sent, the job comes back in ${seconds} s without using up an attempt`;

onBothVersions((bullmq) => {
  test('the default: a refusal uses up an attempt', async () => {
    const stage = startStage(bullmq);
    sender(stage);
    const ended = await stage.ended(await add(stage));
    expect(ended).toMatchObject({ state: 'failed', failedReason: 'Too many requests.' });
    expect(ended.logs).toEqual([]);
  });

  test('"delay": the job comes back after the time that the provider asked for, without an attempt', async () => {
    const stage = startStage(bullmq);
    const events: unknown[] = [];
    const { runs, sent, counters } = sender(stage, {
      onRefused: 'delay',
      refuses: 2,
      onEvent: ({ type, note, retryAfterMs }) => void events.push([type, note, retryAfterMs]),
    });
    // BullMQ's default: one attempt.
    const ended = await stage.ended(await add(stage));
    expect(ended).toMatchObject({ state: 'completed', attemptsMade: 1, attemptsStarted: 3 });
    expect(ended.logs).toEqual([comesBack(1), comesBack(1)]);
    expect(runs[1]! - runs[0]!).toBeGreaterThanOrEqual(400);
    expect(sent).toEqual([7]);
    expect(counters).toMatchObject({ released: 2, sent: 1 });
    expect(events).toContainEqual(['released', '429', 400]);
  });

  test('"delay": the other jobs are not held up', async () => {
    const stage = startStage(bullmq);
    const { sent } = sender(stage, { onRefused: 'delay', waitMs: 60_000 });
    const refused = await add(stage);
    await expect.poll(async () => (await stage.look(refused)).state).toBe('delayed');
    const other = await stage.queue().add('notice', { order: 8 });
    expect(await stage.ended(other)).toMatchObject({ state: 'completed' });
    expect(sent).toEqual([8]);
  });

  test('"delay": an error of the default mode that "classify" calls refused says the time', async () => {
    const stage = startStage(bullmq);
    let runs = 0;
    const processor = once(
      async () => {
        runs += 1;
        const refused = Object.assign(new Error('slow down'), { code: 429, retryAfterMs: 300 });
        if (runs === 1) throw new Error('The welcome email', { cause: refused });
      },
      { ledger: stage.ledger, key: select, onRefused: 'delay', classify: () => 'refused' },
    );
    stage.worker(processor);
    expect(await stage.ended(await add(stage))).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
    });
    expect(runs).toBe(2);
  });

  test('without a time, as of SMTP, and with a time of an email that was not refused: as "throw"', async () => {
    for (const report of [
      { verdict: 'refused', note: '450' },
      { verdict: 'not-sent', retryAfterMs: 1000 },
    ] as const) {
      const stage = startStage(bullmq);
      const processor = once(
        async () => {
          currentClaim()!.report(report);
          throw new Error('Mailbox busy.');
        },
        { ledger: stage.ledger, key: select, dispatch: 'at-send', onRefused: 'delay' },
      );
      stage.worker(processor);
      const ended = await stage.ended(await add(stage, { attempts: 2 }));
      expect(ended).toMatchObject({ state: 'failed', attemptsMade: 2 });
    }
  });

  test('what the processor decided about its job counts', async () => {
    const stage = startStage(bullmq);
    const errors = [
      new bullmq.UnrecoverableError('Give up.'),
      Object.assign(new Error(), { name: 'UnrecoverableError' }),
    ];
    for (const error of errors) {
      const queue = createToken();
      const processor = once(
        async () => {
          currentClaim()!.report({ verdict: 'refused', retryAfterMs: 50 });
          throw error;
        },
        { ledger: stage.ledger, key: select, dispatch: 'at-send', onRefused: 'delay' },
      );
      stage.worker(processor, { queue });
      const job = await stage.queue(queue).add('notice', { order: 7 }, { attempts: 3 });
      expect(await stage.ended(job, { queue })).toMatchObject({ state: 'failed', attemptsMade: 1 });
    }
  });

  test('a provider that refuses for ever delays the job for ever, and "notAfter" ends it', async () => {
    const stage = startStage(bullmq);
    const limit = Date.now() + 2_000;
    const { runs, sent, counters } = sender(stage, {
      onRefused: 'delay',
      refuses: Infinity,
      waitMs: 300,
      notAfter: () => limit,
    });
    const ended = await stage.ended(await add(stage));
    expect(ended).toMatchObject({ state: 'completed', attemptsMade: 1, returnvalue: null });
    expect(runs.length).toBeGreaterThan(2);
    expect(counters.released).toBe(runs.length);
    expect(ended.logs).toHaveLength(runs.length + 1);
    expect(ended.logs.at(-1)).toBe('sendonce: skipped (not-after): not sent');
    expect(sent).toEqual([]);
  });

  test('"Retry-After: 0" for ever is asked at growing intervals', async () => {
    const stage = startStage(bullmq);
    const { runs } = sender(stage, { onRefused: 'delay', refuses: Infinity, waitMs: 0 });
    await add(stage);
    await sleep(2_000);
    expect(runs.length).toBeGreaterThan(1);
    expect(runs.length).toBeLessThan(6);
  });

  describe('"rate-limit"', () => {
    const limiter = { max: 1000, duration: 1000 };

    test('pauses all workers of the queue for that time', async () => {
      const stage = startStage(bullmq);
      const first = sender(stage, { onRefused: 'rate-limit', waitMs: 1_500 }, { limiter });
      const refused = await add(stage);
      await expect.poll(async () => (await stage.look(refused)).state).toBe('delayed');
      const second = sender(stage, { onRefused: 'rate-limit', refuses: 0 }, { limiter });
      const others = [8, 9].map((order) => stage.queue().add('notice', { order }));
      for (const job of [refused, ...(await Promise.all(others))]) {
        expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 1 });
      }
      const [at, ...later] = [...first.runs, ...second.runs].toSorted((one, other) => one - other);
      expect(Math.min(...later) - at!).toBeGreaterThanOrEqual(1_400);
      expect(new Set([...first.sent, ...second.sent])).toEqual(new Set([7, 8, 9]));
      expect([...first.sent, ...second.sent]).toHaveLength(3);
    });

    test('a worker without a limiter is not paused by BullMQ: a warning says so, once per queue', async () => {
      const stage = startStage(bullmq);
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      stage.onEnd(() => warned.mockRestore());
      const queue = createToken();
      const options = { onRefused: 'rate-limit', refuses: 2, waitMs: 250 } as const;
      sender(stage, options, { queue });
      const job = await stage.queue(queue).add('notice', { order: 7 });
      const ended = await stage.ended(job, { queue });
      expect(ended).toMatchObject({ state: 'completed', attemptsMade: 1 });
      const messages = warned.mock.calls.map(([message]) => String(message));
      expect(messages.filter((message) => message.includes('has no "limiter"'))).toHaveLength(1);
    });
  });

  test('a provider transport gives the Retry-After of its provider', async () => {
    const stage = startStage(bullmq);
    const server = await startProviderServer(brevoDialect);
    stage.onEnd(() => server.close());
    const { url, apiKey } = server;
    const transporter = createTransport(brevoTransport({ apiKey, url }));
    const mail = { from: 'shop@example.com', to: 'ada@example.com', subject: 'a', text: 'b' };
    const options = { ledger: stage.ledger, key: select, onRefused: 'delay' } as const;
    stage.worker(once(async () => void (await transporter.sendMail(mail)), options));
    server.setFault('too-many');
    const job = await add(stage);
    await expect.poll(async () => (await stage.look(job)).state).toBe('delayed');
    const { logs, attemptsMade } = await stage.look(job);
    expect(attemptsMade).toBe(0);
    expect(logs).toEqual([expect.stringMatching(/refused for now \(429.*comes back in 7 s/)]);
    expect(server.accepted).toHaveLength(0);
    expect(await stage.ledger.read(key)).toBeUndefined();
    server.setFault(undefined);
    await job.promote();
    expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 1 });
    expect(server.accepted).toHaveLength(1);
  });
});

test('a call without a worker throws the error', async () => {
  const options = { ledger: memoryLedger(), key: select, onRefused: 'delay' } as const;
  const error = Object.assign(new NotSentError('no'), { retryAfterMs: 60_000 });
  const processor = once(
    async () => {
      currentClaim()!.report({ verdict: 'refused', retryAfterMs: 60_000 });
      throw error;
    },
    { ...options, dispatch: 'at-send' },
  );
  await expect(processor({ data: { order: 7 } } as Job)).rejects.toBe(error);
});
