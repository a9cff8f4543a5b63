// Before everything else: the sources that are loaded next call it.
import { aimAt, onPoint } from '../points/runtime.ts';
import { AsyncResource } from 'node:async_hooks';
import { Socket } from 'node:net';
import { onParentMessage } from '@sendonce/testkit/points';
import type { Worker } from 'bullmq';
import type { NoticeProcessor } from '../system.ts';
import { connect } from '../systems/open-ledger.ts';
import { noticeProcessor, openTransporters } from '../worker/notice.ts';
import { describe, fail, say, tell } from '../worker/tell.ts';
import { workOn } from '../worker/work-on.ts';
import { openScenario } from './behave.ts';
import type { FromWalker, Question, Task, ToWalker, Visit } from './messages.ts';

// It does one task after the other, as most of them do not die, and starting costs more than
// working.
let writes = 0;
let visits: Visit[] = [];
let answered = (_left: number): void => {};
let endTask = async (): Promise<readonly Visit[]> => [];
let connection: ReturnType<typeof connect> | undefined;

countWrites();
onPoint((point) => visits.push({ point, writes }));
process.on('unhandledRejection', fail);

onParentMessage((message) => {
  const request = message as ToWalker;
  switch (request.type) {
    case 'task':
      return void start(request.task).catch(fail);
    case 'answer':
      return answered(request.left);
    case 'end task':
      return void end().catch(fail);
  }
});
say({ type: 'ready' });

async function start({ scenario, plan, aim }: Task): Promise<void> {
  const transporters = openTransporters(plan);
  const workers: Worker[] = [];
  const running = new Set<Promise<unknown>>();
  const { processor, close } = await openScenario(
    scenario,
    { plan, processor: noticeProcessor(plan, transporters), transporters, tell },
    // Not in the context of the processor that asks for it: the new worker's jobs would run under
    // its claim.
    { ask, closeByForce: AsyncResource.bind(closeByForce) },
  );
  connection ??= connect(plan.queue.url);
  const open = () => {
    // Declares three plain parameters, or BullMQ passes no signal.
    const observed: NoticeProcessor = async (job, token, signal) => {
      tell(job, 'start');
      const run = processor(job, token, signal);
      running.add(run);
      try {
        return await run;
      } catch (error) {
        tell(job, `threw ${describe(error)}`);
        throw error;
      } finally {
        running.delete(run);
      }
    };
    const worker = workOn(plan, observed, { connection: connection! });
    workers.push(worker);
  };
  function closeByForce(): void {
    const closing = workers.at(-1);
    open();
    closing?.close(true).catch(() => {});
  }
  visits = [];
  if (aim) aimAt(aim);
  open();
  endTask = async () => {
    for (const worker of workers) await worker.close();
    // A worker that was closed by force, or has lost its job, leaves it running.
    await Promise.allSettled(running);
    // What closes the task is not on the path of a job.
    const passed = visits;
    visits = [];
    await close();
    for (const transporter of Object.values(transporters)) transporter.close();
    return passed;
  };
}

async function end(): Promise<void> {
  say<FromWalker>({ type: 'ended', visits: await endTask() });
}

function ask(question: Question): Promise<number> {
  say<FromWalker>({ type: 'question', question });
  return new Promise((resolve) => (answered = resolve));
}

function countWrites(): void {
  const sockets = Socket.prototype;
  for (const name of ['_write', '_writev'] as const) {
    const write = sockets[name] as (...args: unknown[]) => void;
    Object.assign(sockets, {
      [name](this: Socket, ...args: unknown[]) {
        writes += 1;
        return write.apply(this, args);
      },
    });
  }
}
