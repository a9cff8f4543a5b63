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

// A pooled connection that is cut may say so to nobody; the attempt has its own error.
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
  // Cut off as it begins, it connects again by itself; whoever waits for it must not wait for ever.
  await worker?.waitUntilReady().catch(fail);
  say({ type: 'ready' });
}

async function end(close: () => Promise<void>): Promise<void> {
  await worker?.close();
  await close();
  process.exit(0);
}

/** Reports the begin and the end of every run, whatever the system makes of it. */
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
