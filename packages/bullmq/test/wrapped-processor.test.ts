import { NotSentError } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { once } from '../src/index.ts';
import { type Job, onBothVersions, type Process, startStage } from './stage.ts';
import { sameTrace } from './traces.ts';

const atSend = { dispatch: 'at-send' } as const;

onBothVersions((bullmq) => {
  test('a result, log lines and progress are the same as without the wrapper', async () => {
    const { trace } = await sameTrace(bullmq, {
      processor: ({ ran, send }) => {
        return async (job, token) => {
          ran(job, token);
          await job.updateProgress(50);
          await job.log('half way');
          await job.updateProgress({ step: 'sent' });
          await send(job.name);
          return { accepted: [job.data.order], nested: { at: null } };
        };
      },
    });
    expect(trace.job).toMatchObject({
      state: 'completed',
      returnvalue: { accepted: [7], nested: { at: null } },
      progress: { step: 'sent' },
      logs: ['half way'],
      attemptsMade: 1,
    });
    expect(trace.runs).toHaveLength(1);
  });

  test('every JSON result, and none, arrives as it was returned', async () => {
    for (const value of [undefined, null, 0, '', false, [], 'text']) {
      const { trace } = await sameTrace(bullmq, { processor: () => async () => value });
      expect(trace.job.returnvalue).toEqual(value ?? null);
    }
  });

  test('a delayed job does not run before its time', async () => {
    const { trace, ranAtMs, addedAtMs } = await sameTrace(bullmq, {
      job: { delay: 300 },
      processor:
        ({ ran, send }) =>
        async (job) => {
          ran(job);
          await send();
        },
    });
    expect(trace.sent).toEqual(['mail']);
    expect(ranAtMs[0]! - addedAtMs).toBeGreaterThanOrEqual(300);
  });

  test('errors before dispatch are retried with attempts and backoff', async () => {
    const { trace, ranAtMs } = await sameTrace(bullmq, {
      options: atSend,
      job: { attempts: 3, backoff: { type: 'fixed', delay: 80 } },
      processor: ({ ran, send }) => {
        return async (job) => {
          ran(job);
          if (job.attemptsMade < 2) throw new Error(`no template yet (${job.attemptsMade})`);
          await send();
          return 'sent';
        };
      },
    });
    expect(trace.runs).toMatchObject([
      { attemptsMade: 0 },
      { attemptsMade: 1 },
      { attemptsMade: 2 },
    ]);
    expect(trace.job).toMatchObject({ state: 'completed', attemptsMade: 3, returnvalue: 'sent' });
    expect(trace.sent).toEqual(['mail']);
    for (const n of [1, 2]) expect(ranAtMs[n]! - ranAtMs[n - 1]!).toBeGreaterThanOrEqual(80);
  });

  test('errors before dispatch that use up all attempts fail the job with its own error', async () => {
    const { trace } = await sameTrace(bullmq, {
      options: atSend,
      job: { attempts: 2 },
      processor:
        ({ ran }) =>
        async (job) => {
          ran(job);
          throw new TypeError('no such template');
        },
    });
    expect(trace.job).toMatchObject({ state: 'failed', failedReason: 'no such template' });
    expect(trace.runs).toHaveLength(2);
  });

  test('NotSentError is retried in the default mode', async () => {
    const { trace } = await sameTrace(bullmq, {
      job: { attempts: 3 },
      processor: ({ ran, send }) => {
        return async (job) => {
          ran(job);
          if (job.attemptsMade < 2) throw new NotSentError('the template service is down');
          await send();
        };
      },
    });
    expect(trace.job).toMatchObject({ state: 'completed', attemptsMade: 3 });
    expect(trace.sent).toEqual(['mail']);
  });

  test('an error that classify knows as not sent is retried in the default mode', async () => {
    const { trace } = await sameTrace(bullmq, {
      options: {
        classify: (error) =>
          (error as { code?: string }).code === 'ECONNREFUSED' ? 'not-sent' : undefined,
      },
      job: { attempts: 2 },
      processor: ({ ran, send }) => {
        return async (job) => {
          ran(job);
          if (job.attemptsMade < 1) {
            throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
          }
          await send();
        };
      },
    });
    expect(trace.job).toMatchObject({ state: 'completed', attemptsMade: 2 });
  });

  test('a parent reads the values of its children', async () => {
    const { trace } = await sameTrace(bullmq, {
      async add(stage) {
        const { connection, prefix } = stage;
        stage.worker(async (job) => job.data.part, { queue: 'parts' });
        const flows = stage.adopt(new bullmq.FlowProducer({ connection, prefix }));
        const { job } = await flows.add({
          name: 'notice',
          queueName: 'q',
          data: { order: 7 },
          children: ['a', 'b'].map((part) => ({ name: part, queueName: 'parts', data: { part } })),
        });
        return job;
      },
      processor: ({ ran }) => {
        return async (job) => {
          ran(job);
          const values = await job.getChildrenValues<string>();
          return Object.values(values).toSorted((one, other) => one.localeCompare(other));
        };
      },
    });
    expect(trace.job).toMatchObject({ state: 'completed', returnvalue: ['a', 'b'] });
  });

  test.each(['before-processor', 'at-send'] as const)(
    'a step job adds a child and waits for it (%s)',
    async (dispatch) => {
      const { trace } = await sameTrace(bullmq, {
        options: { dispatch },
        processor: ({ ran, send, stage }) => {
          stage.worker(async () => 'pdf', { queue: 'parts' });
          return async (job, token) => {
            ran(job, token);
            if (job.data.step !== 'send') {
              const parent = { id: job.id ?? '', queue: job.queueQualifiedName };
              await stage.queue('parts').add('pdf', {}, { parent, delay: 60 });
              await job.updateData({ step: 'send' });
              if (await job.moveToWaitingChildren(token ?? '')) {
                throw new bullmq.WaitingChildrenError();
              }
            }
            await send(Object.values(await job.getChildrenValues()).join());
            return 'sent';
          };
        },
      });
      expect(trace.sent).toEqual(['pdf']);
      expect(trace.job).toMatchObject({ state: 'completed', attemptsMade: 1, attemptsStarted: 2 });
    },
  );

  test.each(['before-processor', 'at-send'] as const)(
    'moveToDelayed with DelayedError uses up no attempt (%s)',
    async (dispatch) => {
      const { trace, ranAtMs } = await sameTrace(bullmq, {
        options: { dispatch },
        processor: ({ ran, send }) => {
          let left = 2;
          return async (job, token) => {
            ran(job, token);
            if (left-- > 0) {
              await job.moveToDelayed(Date.now() + 60, token);
              throw new bullmq.DelayedError();
            }
            await send();
          };
        },
      });
      expect(trace.job).toMatchObject({ attemptsMade: 1, attemptsStarted: 3, state: 'completed' });
      const run = { attemptsMade: 0, token: 'string' };
      expect(trace.runs).toMatchObject([run, run, run]);
      expect(ranAtMs[2]! - ranAtMs[0]!).toBeGreaterThanOrEqual(120);
    },
  );

  test('a minified bundle renames the classes of BullMQ: DelayedError is known all the same', async () => {
    const { trace } = await sameTrace(bullmq, {
      processor: ({ ran, send }) => {
        let left = 1;
        return async (job, token) => {
          ran(job, token);
          if (left-- > 0) {
            await job.moveToDelayed(Date.now() + 20, token);
            throw Object.assign(new bullmq.DelayedError(), { name: 't' });
          }
          await send();
        };
      },
    });
    expect(trace.job).toMatchObject({ attemptsMade: 1, attemptsStarted: 2, state: 'completed' });
  });

  test('moveToWait with WaitingError runs the job again and uses up no attempt', async () => {
    const { trace } = await sameTrace(bullmq, {
      processor: ({ ran, send }) => {
        let left = 2;
        return async (job, token) => {
          ran(job, token);
          if (left-- > 0) {
            await job.moveToWait(token);
            throw new bullmq.WaitingError();
          }
          await send();
        };
      },
    });
    expect(trace.job).toMatchObject({ attemptsMade: 1, attemptsStarted: 3, state: 'completed' });
  });

  test('a rate limit set by the processor holds, and uses up no attempt', async () => {
    const { trace, ranAtMs } = await sameTrace(bullmq, {
      workerOptions: { limiter: { max: 100, duration: 1000 } },
      processor: ({ ran, send, worker }) => {
        let left = 1;
        return async (job) => {
          ran(job);
          if (left-- > 0) {
            await worker().rateLimit(150);
            throw bullmq.Worker.RateLimitError();
          }
          await send();
        };
      },
    });
    expect(trace.sent).toEqual(['mail']);
    expect(trace.job).toMatchObject({ attemptsMade: 1, state: 'completed' });
    expect(ranAtMs[1]! - ranAtMs[0]!).toBeGreaterThanOrEqual(140);
  });

  test('UnrecoverableError before dispatch fails the job at once', async () => {
    const { trace } = await sameTrace(bullmq, {
      options: atSend,
      job: { attempts: 5 },
      processor:
        ({ ran }) =>
        async (job) => {
          ran(job);
          throw new bullmq.UnrecoverableError('the customer has no address');
        },
    });
    expect(trace.runs).toHaveLength(1);
    expect(trace.events).toEqual(['failed UnrecoverableError the customer has no address']);
  });

  test('cancelJob aborts the signal of a processor that declares it', async () => {
    const { trace } = await sameTrace(bullmq, {
      options: atSend,
      processor: ({ ran, worker }) => {
        return async (job, token, signal) => {
          ran(job, token, signal);
          setTimeout(() => worker().cancelJob(job.id ?? '', 'not wanted'), 20);
          await new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new Error(`aborted: ${signal.reason}`)));
          });
        };
      },
    });
    expect(trace.runs).toMatchObject([{ signal: true, token: 'string' }]);
    expect(trace.job).toMatchObject({
      state: 'failed',
      failedReason: expect.stringMatching(/^aborted/),
    });
  });

  test('a processor that declares two parameters gets no signal', async () => {
    const { trace } = await sameTrace(bullmq, {
      processor: ({ ran }) => {
        return async function processor(job: Job, token?: string) {
          // oxlint-disable-next-line prefer-rest-params
          ran(job, token, arguments[2] as AbortSignal | undefined);
          return processor.length;
        } as Process;
      },
    });
    expect(trace.runs).toMatchObject([{ signal: false }]);
    const options = { ledger: startStage(bullmq).ledger, key: () => 1 };
    // BullMQ makes a signal for a function that declares three parameters.
    expect(once(async (_job: Job) => {}, options)).toHaveLength(2);
    const withSignal = async (_job: Job, _token?: string, _signal?: AbortSignal) => {};
    expect(
      once(async (job: Job, token, signal) => withSignal(job, token, signal), options),
    ).toHaveLength(3);
  });

  test('concurrency is what the worker was given', async () => {
    const peaks = [];
    for (const wrapped of [false, true]) {
      const stage = startStage(bullmq);
      let active = 0;
      let peak = 0;
      let done = 0;
      const processor = async () => {
        peak = Math.max(peak, ++active);
        await sleep(30);
        active -= 1;
        done += 1;
      };
      await stage
        .queue()
        .addBulk(Array.from({ length: 15 }, (_, n) => ({ name: 'mail', data: n })));
      const key = (job: Job) => job.data;
      stage.worker(wrapped ? once(processor, { ledger: stage.ledger, key }) : processor, {
        concurrency: 5,
      });
      await eventually(() => expect(done).toBe(15));
      peaks.push(peak);
    }
    expect(peaks).toEqual([5, 5]);
  });

  test('a bare processor that throws undefined leaves its job active; a wrapped one fails it', async () => {
    const stage = startStage(bullmq);
    const processor = async () => {
      // oxlint-disable-next-line typescript/only-throw-error, no-throw-literal
      throw undefined;
    };
    stage.worker(processor, { queue: 'bare' });
    const bare = await stage.queue('bare').add('mail', {});
    for (const dispatch of ['before-processor', 'at-send'] as const) {
      const options = { ledger: stage.ledger, key: (job: Job) => [dispatch, job.id], dispatch };
      stage.worker(once(processor, options), { queue: dispatch });
      const job = await stage.queue(dispatch).add('mail', {});
      const { failedReason } = await stage.ended(job, { queue: dispatch });
      expect(failedReason).toMatch(dispatch === 'at-send' ? 'was not sent' : 'in doubt');
    }
    expect(await stage.look(bare, { queue: 'bare' })).toMatchObject({ state: 'active' });
  });
});
