// Before everything else: the sources that are loaded next call it.
import { aimAt } from '../points/runtime.ts';
import { onParentMessage, tellParent, workerData } from '@sendonce/testkit/points';
import { Worker } from 'bullmq';
import type { FromWorker, ToWorker, WorkerPlan } from '../messages.ts';
import type { NoticeJob, NoticeProcessor, Tools } from '../system.ts';
import { connect } from '../systems/open-ledger.ts';
import { systems } from '../systems/index.ts';
import { installClock, setClock, trueNowMs } from './clock.ts';
import { measure } from './measure.ts';
import { noticeProcessor, openTransporters } from './notice.ts';

installClock();
const plan = workerData() as WorkerPlan;
const connection = connect(plan.queue.url);
let worker: Worker | undefined;

// A pooled connection that is cut may say so to nobody; the attempt has its own error.
process.on('unhandledRejection', (error) => say({ type: 'failed', error: describe(error) }));

start().catch((error: unknown) => say({ type: 'failed', error: describe(error) }));

async function start(): Promise<void> {
  const transporters = openTransporters(plan);
  const tell: Tools['tell'] = (job, what, token) => {
    const step = { email: job.data.number, job: job.id ?? '?', what, atMs: trueNowMs() };
    say({ type: 'step', step: token === undefined ? step : { ...step, token } });
  };
  const processor = noticeProcessor(plan, transporters);
  const { processor: wrapped, close } = await systems[plan.system].open({
    plan,
    processor,
    transporters,
    tell,
  });
  const open = () => {
    worker = new Worker(plan.queue.name, observed(wrapped, tell), {
      connection,
      prefix: plan.queue.prefix,
      concurrency: plan.concurrency,
      lockDuration: plan.timing.lockMs,
      stalledInterval: plan.timing.stalledMs,
      // With the default of 1 BullMQ itself would give the email up.
      maxStalledCount: 1_000_000,
    });
    // A lost lock is what this is about.
    worker.on('error', () => {});
  };
  open();

  onParentMessage((message) => {
    const told = message as ToWorker;
    switch (told.type) {
      case 'aim':
        return aimAt(told.aim);
      case 'block':
        return block(told.forMs);
      case 'clock':
        return setClock(told.aheadMs);
      case 'close': {
        const closing = worker;
        open();
        return void closing?.close(true).catch(() => {});
      }
      case 'measure':
        return say({ type: 'measured', measure: measure() });
      case 'end':
        return void end(close);
    }
  });
  await worker?.waitUntilReady();
  say({ type: 'ready' });
}

async function end(close: () => Promise<void>): Promise<void> {
  await worker?.close();
  await close();
  process.exit(0);
}

/** Reports the begin and the end of every run, whatever the system makes of it. */
function observed(processor: NoticeProcessor, tell: Tools['tell']): NoticeProcessor {
  // Declares three plain parameters, or BullMQ passes no signal.
  return async (job: NoticeJob, token?: string, signal?: AbortSignal) => {
    tell(job, 'start');
    try {
      const result = await processor(job, token, signal);
      tell(job, 'end');
      return result;
    } catch (error) {
      tell(job, `threw ${describe(error)}`);
      throw error;
    }
  };
}

function block(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

/** Its name and code, and its message where that tells more. */
function describe(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  return code === undefined ? `${name}: ${message?.slice(0, 80)}` : `${name} ${code}`;
}

function say(message: FromWorker): void {
  tellParent(message).catch(() => {});
}
