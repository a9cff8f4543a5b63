// Before everything else: the sources that are loaded next call it.
import { aimAt } from '../points/runtime.ts';
import { onParentMessage, workerData } from '@sendonce/testkit/points';
import type { Worker } from 'bullmq';
import type { ToWorker, WorkerPlan } from '../messages.ts';
import type { NoticeJob, NoticeProcessor } from '../system.ts';
import { connect } from '../systems/open-ledger.ts';
import { systems } from '../systems/index.ts';
import { installClock, setClock } from './clock.ts';
import { measure } from './measure.ts';
import { noticeProcessor, openTransporters } from './notice.ts';
import { describe, fail, say, tell } from './tell.ts';
import { block, workOn } from './work-on.ts';

installClock();
const plan = workerData() as WorkerPlan;
const connection = connect(plan.queue.url);
let worker: Worker | undefined;

// A pooled connection that is cut may reject a promise that no code awaits; the attempt has its own
// error.
process.on('unhandledRejection', fail);

start().catch(fail);

async function start(): Promise<void> {
  const transporters = openTransporters(plan);
  const processor = noticeProcessor(plan, transporters);
  const { processor: wrapped, close } = await systems[plan.system].open({
    plan,
    processor,
    transporters,
    tell,
  });
  const open = () => {
    worker = workOn(plan, observed(wrapped), { connection });
  };
  open();

  onParentMessage((message) => {
    const request = message as ToWorker;
    switch (request.type) {
      case 'aim':
        return aimAt(request.aim);
      case 'block':
        return block(request.forMs);
      case 'clock':
        return setClock(request.aheadMs);
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
  // If it is cut off as it begins, it reconnects. Its parent must not wait for ever.
  await worker?.waitUntilReady().catch(fail);
  say({ type: 'ready' });
}

async function end(close: () => Promise<void>): Promise<void> {
  await worker?.close();
  await close();
  process.exit(0);
}

/** Reports the start and the end of every run, with or without an error. */
function observed(processor: NoticeProcessor): NoticeProcessor {
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
