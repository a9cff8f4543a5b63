import { startWorkerProcess, type WorkerProcess } from '@sendonce/testkit';
import { lastStruck } from '../points/runtime.ts';
import { walkerBundle } from './bundle.ts';
import type { FromWalker, Question, Task, ToWalker, Visit } from './messages.ts';
import type { Step } from '../messages.ts';

/** A process that is given tasks. */
export interface Walker {
  start(task: Task, listener: Listener): void;
  /** Ends the task; what it has passed. */
  end(): Promise<readonly Visit[]>;
  /** At which point it was struck, if it was. */
  struckAt(): string | undefined;
  readonly process: WorkerProcess;
}

export interface Listener {
  onStep(step: Step): void;
  onFailed(error: string): void;
  /** How often the email has left. */
  onQuestion(question: Question): Promise<number>;
}

export interface Pool {
  take(): Promise<Walker>;
  /** Lets the process be taken again. */
  putBack(walker: Walker): void;
  retire(walker: Walker): Promise<void>;
  readonly close: () => Promise<void>;
  readonly starts: number;
}

/**
 * Keeps a number of processes warm. Dead ones are replaced at once, so that no case waits for a
 * start.
 */
export async function startPool(warm: number): Promise<Pool> {
  const { path } = await walkerBundle();
  const all = new Set<Walker>();
  const idle: Promise<Walker>[] = [];
  let starts = 0;
  const start = async (): Promise<Walker> => {
    starts += 1;
    const walker = await startWalker(path, `walker ${starts}`);
    all.add(walker);
    void walker.process.exited.then(() => all.delete(walker));
    return walker;
  };
  const refill = () => {
    while (idle.length < warm) idle.push(start());
  };
  refill();
  return {
    take() {
      const walker = idle.shift() ?? start();
      refill();
      return walker;
    },
    putBack: (walker) => void idle.unshift(Promise.resolve(walker)),
    async retire({ process }) {
      await process.kill();
    },
    async close() {
      await Promise.allSettled(idle);
      await Promise.all([...all].map(({ process }) => process.kill()));
    },
    get starts() {
      return starts;
    },
  };
}

async function startWalker(path: string, name: string): Promise<Walker> {
  const process = await startWorkerProcess({ file: path, name });
  let listener: Listener | undefined;
  let ended = (_visits: readonly Visit[]): void => {};
  let ready = (): void => {};
  const started = new Promise<void>((resolve) => (ready = resolve));
  process.onMessage((message) => {
    const report = message as FromWalker;
    switch (report.type) {
      case 'ready':
        return ready();
      case 'step':
        return listener?.onStep(report.step);
      case 'failed':
        return listener?.onFailed(report.error);
      case 'question':
        return void listener
          ?.onQuestion(report.question)
          .then((left) => process.send({ type: 'answer', left } satisfies ToWalker));
      case 'ended':
        return ended(report.visits);
      case 'measured':
    }
  });
  await Promise.race([started, process.exited]);
  return {
    process,
    start(task, heard) {
      listener = heard;
      process.send({ type: 'task', task } satisfies ToWalker);
    },
    end() {
      process.send({ type: 'end task' } satisfies ToWalker);
      return new Promise((resolve) => {
        ended = resolve;
        void process.exited.then(() => resolve([]));
      });
    },
    struckAt: () => lastStruck('kill', process.output()) ?? lastStruck('stop', process.output()),
  };
}
