import { currentClaim } from '@sendonce/core';
import type { JobsOptions } from 'bullmq';
import { expect } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import {
  type BullMQ,
  type Ended,
  type Job,
  type Process,
  type Stage,
  startStage,
  type Worker,
  type WorkerOptions,
} from './stage.ts';

export interface Scenario {
  /** The processor of a user, who knows nothing of the wrapper. */
  readonly processor: (context: Context) => Process;
  readonly options?: Partial<OnceOptions<Job>>;
  readonly job?: JobsOptions;
  readonly workerOptions?: WorkerOptions;
  readonly add?: (stage: Stage) => Promise<{ id?: string | undefined }>;
}

export interface Context {
  readonly bullmq: BullMQ;
  readonly stage: Stage;
  readonly worker: () => Worker;
  /** Notes that the processor was called, and with what. */
  readonly ran: (job: Job, token?: string, signal?: AbortSignal) => void;
  /** Sends an email, with or without a claim around it. */
  readonly send: (text?: string) => Promise<void>;
}

/** What can be observed of a job from outside, and of its processor from inside. */
export interface Trace {
  readonly runs: readonly object[];
  readonly events: readonly string[];
  readonly sent: readonly string[];
  readonly job: Omit<Ended, 'processedOn' | 'id'>;
}

export interface Compared {
  readonly trace: Trace;
  /** When the wrapped processor ran, and when its job was added. */
  readonly ranAtMs: readonly number[];
  readonly addedAtMs: number;
}

/** Runs the processor bare and wrapped, and expects no difference. */
export async function sameTrace(bullmq: BullMQ, scenario: Scenario): Promise<Compared> {
  const bare = await run(startStage(bullmq), scenario, false);
  const wrapped = await run(startStage(bullmq), scenario, true);
  expect(wrapped.trace).toEqual(bare.trace);
  return wrapped;
}

export async function run(stage: Stage, scenario: Scenario, wrapped: boolean): Promise<Compared> {
  const runs: object[] = [];
  const events: string[] = [];
  const sent: string[] = [];
  const ranAtMs: number[] = [];
  let worker: Worker | undefined;
  const context: Context = {
    bullmq: stage.bullmq,
    stage,
    async send(text = 'mail') {
      await currentClaim()?.dispatch();
      sent.push(text);
    },
    worker: () => worker!,
    ran(job, token, signal) {
      ranAtMs.push(Date.now());
      const { attemptsMade, attemptsStarted, stalledCounter, data, progress, name } = job;
      const passed = { token: typeof token, signal: signal !== undefined };
      runs.push({ name, data, progress, attemptsMade, attemptsStarted, stalledCounter, ...passed });
    },
  };
  const processor = scenario.processor(context);
  const options = { ledger: stage.ledger, key: (job: Job) => ['mail', job.name, job.id] };
  worker = stage.worker(
    wrapped ? once(processor, { ...options, ...scenario.options }) : processor,
    scenario.workerOptions,
  );
  worker.on('completed', (_job, result) => events.push(`completed ${JSON.stringify(result)}`));
  worker.on('failed', (_job, error) => events.push(`failed ${error?.name} ${error?.message}`));
  worker.on('progress', (_job, progress) => events.push(`progress ${JSON.stringify(progress)}`));

  const add = scenario.add ?? ((on) => on.queue().add('notice', { order: 7 }, scenario.job));
  const addedAtMs = Date.now();
  const { id: _, processedOn: __, ...job } = await stage.ended(await add(stage));
  return { trace: { runs, events, sent, job }, ranAtMs, addedAtMs };
}
