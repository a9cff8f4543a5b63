import { Once, once, OnceWorker } from '@sendonce/bullmq';
import { type Claim, deriveKey, type Ledger, memoryLedger, perform } from '@sendonce/core';
import { type Job, Worker } from 'bullmq';
import { sendonceTelemetry } from '../src/index.ts';

// Compiled, never run: what a user writes keeps its types when it is observed.

interface Notice {
  orderId: number;
}
interface Closable extends Ledger {
  close(): Promise<void>;
}
declare const closable: Closable;
declare const connection: { host: string };
const telemetry = sendonceTelemetry();
const ledger = memoryLedger();

// The job of `key` and of `onEvent` is still that of the processor, without a word.
const processor = once(
  async (job: Job<Notice>) => job.data.orderId,
  telemetry.observe({
    ledger,
    key: (job) => ['notice', job.data.orderId],
    onEvent: ({ job, type }) => console.log(type, job.data.orderId),
  }),
);
export const worker = new Worker<Notice, number>('notices', processor, { connection });

export const effect: (job: Job<Notice>, token?: string) => Promise<number> = telemetry.effect(
  async (job: Job<Notice>) => job.data.orderId,
);

export const performed = perform(
  telemetry.effect(async (claim: Claim) => claim.key.length),
  telemetry.observe({ ledger, key: deriveKey(['n']), onEvent: ({ type }) => void type }),
).then((end) => (end.state === 'sent' ? end.value.toFixed() : ''));

export const files = new OnceWorker<Notice>('notices', new URL('file:///processor.js'), {
  connection,
  once: telemetry.observe({ ledger, key: (job) => job.data.orderId }),
});

export class Processor {
  @Once(telemetry.observe({ ledger, key: (job: Job<Notice>) => job.data.orderId }))
  async process(job: Job<Notice>): Promise<void> {
    console.log(job.id);
  }
}

// What a ledger can do beside the verbs is not lost.
void telemetry.ledger(closable).close();

// @ts-expect-error options without a ledger
telemetry.observe({ key: 'x' });
