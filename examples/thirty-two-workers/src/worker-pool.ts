import { startWorkerProcess, type WorkerProcess } from '@sendonce/testkit';
import type { CellPlan, EventKind, FromWorker, LaneEvent, ToWorker } from './messages.ts';

/** Worker processes, started once for all cells. */
export interface WorkerPool {
  /** How many they are. */
  readonly workers: number;
  /** The same processes in groups of at least so many. Each group can have a different cell. */
  readonly groupsOf: (workers: number) => readonly WorkerPool[];
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
  current: Current | undefined;
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
  let started = 0;
  const seats = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Seat> => {
      const worker = index + 1;
      const process = await startProcess(worker);
      onStarted(++started);
      const listening = Promise.resolve();
      return { worker, process, current: undefined, listening, killed: false };
    }),
  );
  for (const seat of seats) attend(seat);
  return poolOf(seats);
}

function poolOf(seats: readonly Seat[]): WorkerPool {
  const seatOf = (worker: number) => seats.find((seat) => seat.worker === worker)!;
  return {
    workers: seats.length,
    groupsOf(workers) {
      const groups = Math.max(1, Math.floor(seats.length / workers));
      const begin = (index: number) => Math.floor((index * seats.length) / groups);
      return Array.from({ length: groups }, (_, index) =>
        poolOf(seats.slice(begin(index), begin(index + 1))),
      );
    },
    async open(cell, listener) {
      // A process that was killed in the cell before may still be starting.
      await Promise.all(seats.map(({ listening }) => listening));
      for (const seat of seats) {
        seat.current = { cell, listener };
        seat.listening = openIn(seat, cell);
      }
      await Promise.all(seats.map(({ listening }) => listening));
    },
    send: (worker, message) => seatOf(worker).process.send(message),
    kill(worker) {
      const seat = seatOf(worker);
      seat.killed = true;
      tell(seat, 'kill');
      seat.listening = restart(seat);
      // The call that opens the next cell reports it.
      seat.listening.catch(() => {});
    },
    async freeze(worker) {
      const seat = seatOf(worker);
      await seat.process.stop();
      tell(seat, 'freeze');
    },
    thaw(worker) {
      const seat = seatOf(worker);
      tell(seat, 'thaw');
      seat.process.continue();
    },
    async stop() {
      for (const seat of seats) {
        seat.current = undefined;
        seat.killed = true;
      }
      await Promise.all(seats.map(({ process }) => process.kill()));
    },
  };
}

function tell({ current, worker }: Seat, kind: EventKind): void {
  current?.listener.onEvent({ kind, worker, atMs: Date.now() }, 0);
}

/** Listens to the messages and the end of a worker's process. */
function attend(seat: Seat): void {
  const { process, worker } = seat;
  process.onMessage((message) => {
    if (seat.current) pass(worker, message as FromWorker, seat.current);
  });
  void process.exited.then(() => {
    if (!seat.killed) seat.current?.listener.onFailure(ended(process));
    return seat.current?.listener.onGone(worker);
  });
}

async function restart(seat: Seat): Promise<void> {
  await seat.process.kill();
  seat.process = await startProcess(seat.worker);
  seat.killed = false;
  attend(seat);
  if (!seat.current) return;
  await openIn(seat, seat.current.cell);
  tell(seat, 'restart');
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
