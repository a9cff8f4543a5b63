import { dispatchAtSend } from '@sendonce/mail';
import { onParentMessage, tellParent, workerData } from '@sendonce/testkit/points';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';
import { isSendonce } from '../guards.ts';
import type { CellPlan, EventKind, FromWorker, ToWorker } from '../messages.ts';
import { STALLED_INTERVAL_MS } from '../timing.ts';
import { connect } from '../ledgers.ts';
import { openGuard } from './open-guard.ts';
import { deliveryNotice, type NoticeJob, type NoticeProcessor } from './notice.ts';
import { runNumber, runWithNumber } from './runs.ts';

const number = workerData() as number;
const waiting = new Map<number, (go: { blockMs?: number }) => void>();
/** One connection for all the queues, as in any worker that has several. */
let connection: Redis | undefined;
let close = async () => {};

onParentMessage((message) => {
  const received = message as ToWorker;
  switch (received.type) {
    case 'open':
      open(received.cell).catch((error: unknown) => say({ type: 'failed', error: String(error) }));
      break;
    case 'go':
      waiting.get(received.run)?.(received);
      waiting.delete(received.run);
      break;
  }
});

/** Leaves the cell before, and listens to the queue of this one. */
async function open(cell: CellPlan): Promise<void> {
  void close();
  connection ??= connect(cell.redisUrl);
  const tell = (kind: EventKind) => tellEvent(cell, kind);
  const transporter = createTransport({ host: '127.0.0.1', port: cell.smtpPort, ignoreTLS: true });
  if (isSendonce(cell.guard)) transporter.use('stream', dispatchAtSend());
  const processor = deliveryNotice(transporter, {
    worker: number,
    beforeSend: () => waitForGo(cell),
    async afterSend() {
      if (cell.failsAfterSend) throw new Error('The order could not be marked as notified.');
    },
  });
  const guard = await openGuard(cell, tell);
  const worker = new Worker(cell.queue, observed(await guard.wrap(processor), tell), {
    connection,
    prefix: cell.prefix,
    lockDuration: cell.lockMs,
    stalledInterval: STALLED_INTERVAL_MS,
    // With the default of 1 a machine that is busy with other things would fail the job.
    maxStalledCount: 10,
  });
  // A lost lock is what this demo is about: BullMQ reports it here.
  worker.on('error', () => {});
  await worker.waitUntilReady();
  close = async () => {
    await worker.close(true);
    await guard.close();
  };
  await say({ type: 'opened', cell: cell.id });
}

/** Reports the start and the end of every run, whether or not it sends. */
function observed(processor: NoticeProcessor, tell: (kind: EventKind) => void): NoticeProcessor {
  // BullMQ passes a signal only to a function that declares three parameters.
  return (job: NoticeJob, token?: string, signal?: AbortSignal) =>
    runWithNumber(async () => {
      tell('start');
      try {
        return await processor(job, token, signal);
      } catch (error) {
        if (!(error instanceof Error && error.name === 'DelayedError')) tell('error');
        throw error;
      } finally {
        tell('end');
      }
    });
}

/** Lets the demo decide what happens to this run between rendering and sending. */
async function waitForGo(cell: CellPlan): Promise<void> {
  const run = runNumber();
  const gone = new Promise<{ blockMs?: number }>((resolve) => void waiting.set(run, resolve));
  await say({ type: 'about-to-send', cell: cell.id, run });
  const { blockMs } = await gone;
  if (blockMs === undefined) return;
  tellEvent(cell, 'block');
  const untilMs = Date.now() + blockMs;
  while (Date.now() < untilMs);
  tellEvent(cell, 'unblock');
}

function tellEvent(cell: CellPlan, kind: EventKind): void {
  const event = { kind, worker: number, atMs: Date.now() };
  void say({ type: 'event', cell: cell.id, run: runNumber(), event });
}

async function say(message: FromWorker): Promise<void> {
  await tellParent(message);
}
