import { startWorkerProcess, type WorkerProcess } from '@sendonce/testkit';
import type { CellPlan, EventKind, FromWorker, LaneEvent, ToWorker } from './messages.ts';

/** The worker processes, started once for all cells. */
export interface WorkerPool {
  /** Lets every worker leave the cell before and listen to the queue of this one. */
  open: (cell: CellPlan, listener: CellListener) => Promise<void>;
  send: (worker: number, message: ToWorker) => void;
  /** SIGKILL. It is started again, as a supervisor would. */
  kill: (worker: number) => void;
  /** SIGSTOP. Resolves when the process has stopped. */
  freeze: (worker: number) => Promise<void>;
  /** SIGCONT. */
  thaw: (worker: number) => void;
  /** SIGKILL to all; resolves when they are gone. */
  stop: () => Promise<void>;
}

/** The callbacks of a cell for the events of its workers. */
export interface CellListener {
  readonly onEvent: (event: LaneEvent, run: number) => void;
  readonly onAboutToSend: (worker: number, run: number) => void;
  /** The process is gone: its runs will never end. */
  readonly onGone: (worker: number) => void;
  readonly onFailure: (error: Error) => void;
}

interface Seat {
  readonly worker: number;
  process: WorkerProcess;
  /** Resolves when the process listens to the queue of the current cell. */
  listening: Promise<void>;
  /** Whether its end is our doing. */
  killed: boolean;
}

interface Current {
  readonly cell: CellPlan;
  readonly listener: CellListener;
}

/** @param onStarted is called with the number of the processes that run */
export async function startWorkerPool(
  count: number,
  onStarted: (started: number) => void,
): Promise<WorkerPool> {
  let current: Current | undefined;
  let started = 0;
  const seats = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Seat> => {
      const worker = index + 1;
      const process = await startProcess(worker);
      onStarted(++started);
      return { worker, process, listening: Promise.resolve(), killed: false };
    }),
  );
  for (const seat of seats) attend(seat);
  const seatOf = (worker: number) => seats[worker - 1]!;
  const tell = (worker: number, kind: EventKind) =>
    current?.listener.onEvent({ kind, worker, atMs: Date.now() }, 0);

  /** Listens to the messages and the end of a worker's process. */
  function attend(seat: Seat): void {
    const { process, worker } = seat;
    process.onMessage((message) => {
      if (current) pass(worker, message as FromWorker, current);
    });
    void process.exited.then(() => {
      if (!seat.killed) current?.listener.onFailure(ended(process));
      return current?.listener.onGone(worker);
    });
  }

  async function restart(seat: Seat): Promise<void> {
    await seat.process.kill();
    seat.process = await startProcess(seat.worker);
    seat.killed = false;
    attend(seat);
    if (!current) return;
    await openIn(seat, current.cell);
    tell(seat.worker, 'restart');
  }

  return {
    async open(cell, listener) {
      // A process that was killed in the cell before may still be starting.
      await Promise.all(seats.map(({ listening }) => listening));
      current = { cell, listener };
      for (const seat of seats) seat.listening = openIn(seat, cell);
      await Promise.all(seats.map(({ listening }) => listening));
    },
    send: (worker, message) => seatOf(worker).process.send(message),
    kill(worker) {
      const seat = seatOf(worker);
      seat.killed = true;
      tell(worker, 'kill');
      seat.listening = restart(seat);
      // The call that opens the next cell reports it.
      seat.listening.catch(() => {});
    },
    async freeze(worker) {
      await seatOf(worker).process.stop();
      tell(worker, 'freeze');
    },
    thaw(worker) {
      tell(worker, 'thaw');
      seatOf(worker).process.continue();
    },
    async stop() {
      current = undefined;
      for (const seat of seats) seat.killed = true;
      await Promise.all(seats.map(({ process }) => process.kill()));
    },
  };
}

function startProcess(worker: number): Promise<WorkerProcess> {
  return startWorkerProcess({
    file: new URL('./worker/worker.ts', import.meta.url),
    name: `worker ${worker}`,
    data: worker,
  });
}

/** Resolves when the process listens to the queue of the cell, or was killed before. */
async function openIn(seat: Seat, cell: CellPlan): Promise<void> {
  const { process } = seat;
  process.send({ type: 'open', cell } satisfies ToWorker);
  await new Promise<void>((resolve, reject) => {
    const off = process.onMessage((message) => {
      const said = message as FromWorker;
      if (said.type === 'failed') reject(new Error(`${process.name}: ${said.error}`));
      else if (said.type === 'opened' && said.cell === cell.id) resolve();
      else return;
      off();
    });
    void process.exited.then(() => (seat.killed ? resolve() : reject(ended(process))));
  });
}

function pass(worker: number, said: FromWorker, { cell, listener }: Current): void {
  if (said.type === 'failed') {
    listener.onFailure(new Error(`worker ${worker}: ${said.error}`));
    return;
  }
  // A zombie of an earlier cell may still send messages.
  if (said.cell !== cell.id) return;
  if (said.type === 'about-to-send') listener.onAboutToSend(worker, said.run);
  if (said.type === 'event') listener.onEvent(said.event, said.run);
}

function ended(process: WorkerProcess): Error {
  return new Error(`${process.name} ended unexpectedly:\n${process.output()}`);
}
