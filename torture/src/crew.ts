import { setTimeout as sleep } from 'node:timers/promises';
import { bundleProgram, startWorkerProcess, type WorkerProcess } from '@sendonce/testkit';
import type { History } from './history.ts';
import type { FromWorker, Measure, ToWorker, WorkerPlan } from './messages.ts';
import { pointMaker } from './points/rewrite.ts';
import { type Aim, lastStruck } from './points/runtime.ts';

/** The worker processes; one that is gone is started again, as a supervisor would. */
export interface Crew {
  send(worker: number, message: ToWorker): void;
  /** SIGKILL. */
  kill(worker: number): Promise<void>;
  /** SIGSTOP, and SIGCONT after so long. */
  freeze(worker: number, forMs: number): Promise<void>;
  /** Stops at an await, and continues after this time, whether it came by there or not. */
  freezeAt(worker: number, aim: Aim, forMs: number): Promise<void>;
  /** Which process an attempt with this token runs in, and when that one died. */
  attempt(token: string): { readonly diedMs: number | undefined } | undefined;
  /** What each process holds, of those that answer within two seconds. */
  readonly measure: () => Promise<Measure[]>;
  /** Every process is there and ready, and its clock is right. */
  readonly heal: () => Promise<void>;
  /** Lets every process end in order; one that does not is killed. */
  readonly end: () => Promise<void>;
  readonly starts: number;
}

interface Incarnation {
  readonly process: WorkerProcess;
  readonly ready: Promise<void>;
  diedMs: number | undefined;
}

const file = new URL('./worker/worker.ts', import.meta.url);
let bundle: Promise<string> | undefined;

/** The worker with all its points, bundled once. */
function workerBundle(): Promise<string> {
  return (bundle ??= bundleProgram(file, pointMaker().rewrite));
}

export async function startCrew(
  size: number,
  planOf: (worker: number) => WorkerPlan,
  history: History,
): Promise<Crew> {
  const path = await workerBundle();
  const attempts = new Map<string, Incarnation>();
  const seats: (Incarnation | undefined)[] = [];
  let measures: Measure[] = [];
  let starts = 0;
  let ending = false;

  async function seat(worker: number): Promise<void> {
    const who = `worker ${worker}`;
    const process = await startWorkerProcess({ file: path, name: who, data: planOf(worker) });
    starts += 1;
    let ready = () => {};
    const incarnation: Incarnation = {
      process,
      ready: new Promise<void>((resolve) => (ready = resolve)),
      diedMs: undefined,
    };
    seats[worker] = incarnation;
    process.onMessage((message) => {
      const report = message as FromWorker;
      if (report.type === 'ready') ready();
      else if (report.type === 'failed') history.note({ who, what: report.error });
      else if (report.type === 'measured') measures.push(report.measure);
      else {
        const { atMs, ...step } = report.step;
        history.note({ who, ...step }, atMs);
        if (step.token !== undefined) attempts.set(step.token, incarnation);
      }
    });
    void process.exited.then(async ({ code, signal }) => {
      incarnation.diedMs = Date.now();
      ready();
      const point = lastStruck('kill', process.output());
      if (point !== undefined) history.note({ who, what: `killed ${point}` });
      else if (signal !== 'SIGKILL' && !ending) {
        history.note({
          who,
          what: `ended without a signal of ours (${signal ?? code}): ${process.output()}`,
        });
      }
      if (!ending) await seat(worker);
      return undefined;
    });
  }

  const processOf = (worker: number) => seats[worker]!.process;
  for (let worker = 0; worker < size; worker += 1) await seat(worker);

  const crew: Crew = {
    send: (worker, message) => processOf(worker).send(message),
    async kill(worker) {
      history.note({ who: `worker ${worker}`, what: 'SIGKILL' });
      await processOf(worker).kill();
    },
    async freeze(worker, forMs) {
      const process = processOf(worker);
      await process.stop();
      history.note({ who: `worker ${worker}`, what: `SIGSTOP for ${forMs} ms` });
      await sleep(forMs);
      process.continue();
      history.note({ who: `worker ${worker}`, what: 'SIGCONT' });
    },
    async freezeAt(worker, aim, forMs) {
      const process = processOf(worker);
      const heardBefore = process.output().length;
      const withinMs = 500;
      process.send({ type: 'aim', aim: { ...aim, withinMs } } satisfies ToWorker);
      // It may be late to read this, and strike as late.
      await sleep(2 * withinMs + forMs);
      const point = lastStruck('stop', process.output().slice(heardBefore));
      if (point === undefined) return;
      history.note({ who: `worker ${worker}`, what: `SIGCONT; was stopped ${point}` });
      process.continue();
    },
    attempt: (token) => attempts.get(token),
    async measure() {
      measures = [];
      for (let worker = 0; worker < size; worker += 1) crew.send(worker, { type: 'measure' });
      await sleep(2_000);
      return measures;
    },
    async heal() {
      for (;;) {
        const before = starts;
        for (let worker = 0; worker < size; worker += 1) {
          processOf(worker).continue();
          crew.send(worker, { type: 'clock', aheadMs: 0 });
        }
        await Promise.all(seats.map(async (incarnation) => incarnation?.ready));
        if (starts === before) return;
      }
    },
    async end() {
      ending = true;
      await Promise.all(
        seats.map(async (incarnation) => {
          const process = incarnation!.process;
          process.send({ type: 'end' } satisfies ToWorker);
          process.continue();
          await Promise.race([process.exited, sleep(5_000, undefined, { ref: false })]);
          await process.kill();
        }),
      );
    },
    get starts() {
      return starts;
    },
  };
  await crew.heal();
  return crew;
}
