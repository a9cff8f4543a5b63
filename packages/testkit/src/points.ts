/** What happens when a worker reaches an armed point; once, then the point is disarmed. */
export type PointAction =
  /** Waits until the parent calls `goOn`. */
  | 'halt'
  /** SIGKILL to itself, after the report has left the process. */
  | 'kill'
  /** SIGSTOP to itself, until the parent's `continue()`. */
  | 'stop';

/** Name, data and armed points of a worker: JSON in this environment variable. */
export const workerVariable = 'SENDONCE_TESTKIT_WORKER';

export interface WorkerStart {
  name: string;
  data?: unknown;
  armed: Record<string, PointAction>;
}

/** @internal What parent and worker say to each other; everything else is the user's. */
export type PointMessage =
  | { testkit: 'reached'; point: string; data?: unknown }
  | { testkit: 'arm'; point: string; action: PointAction; id: number }
  | { testkit: 'armed'; id: number }
  | { testkit: 'go-on'; point: string };

const start = readStart();
const armed = new Map<string, PointAction>(Object.entries(start?.armed ?? {}));
const halted = new Map<string, (() => void)[]>();
const listeners = new Set<(message: unknown) => void>();

if (start) listen();

/**
 * Reports a named point to the parent, which waits for it by `waitFor`, and does what the parent
 * armed there. Outside a worker of `startWorkerProcess` it does nothing.
 *
 * The report has left the process when the promise resolves, so that no SIGKILL can lose it.
 *
 * @param data anything that JSON can carry
 */
export async function reachPoint(point: string, data?: unknown): Promise<void> {
  if (!start) return;
  const action = armed.get(point);
  armed.delete(point);
  let goesOn: Promise<void> | undefined;
  if (action === 'halt') {
    goesOn = new Promise((resolve) => {
      halted.set(point, [...(halted.get(point) ?? []), resolve]);
    });
    process.channel?.ref();
  }
  await tell({ testkit: 'reached', point, data });
  if (action === 'kill' || action === 'stop') {
    process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  }
  await goesOn;
}

/** The name given to `startWorkerProcess`, or 'main' outside a worker. */
export function workerName(): string {
  return start?.name ?? 'main';
}

/** The data given to `startWorkerProcess`, unchecked; undefined outside a worker. */
export function workerData(): unknown {
  return start?.data;
}

/** Sends a message that the parent's `onMessage` and `messages` get. */
export async function tellParent(message: unknown): Promise<void> {
  if (start) await tell(message);
}

/**
 * Calls the listener with each message that the parent passes to `send`.
 * From then on the worker stays alive until it exits or is killed.
 */
export function onParentMessage(listener: (message: unknown) => void): void {
  listeners.add(listener);
  if (start) process.channel?.ref();
}

function readStart(): WorkerStart | undefined {
  const json = process.env[workerVariable];
  // Children of the worker are no workers of this parent.
  delete process.env[workerVariable];
  return json === undefined || !process.send ? undefined : (JSON.parse(json) as WorkerStart);
}

function listen() {
  process.on('message', (message: PointMessage) => {
    switch (message?.testkit) {
      case 'arm':
        armed.set(message.point, message.action);
        void tell({ testkit: 'armed', id: message.id });
        return;
      case 'go-on':
        for (const resolve of halted.get(message.point) ?? []) resolve();
        halted.delete(message.point);
        if (halted.size === 0 && listeners.size === 0) process.channel?.unref();
        return;
      default:
        for (const listener of listeners) listener(message);
    }
  });
  // The parent is gone, and with it the reason to run.
  process.on('disconnect', () => process.exit(0));
  // Listening alone must not keep a finished worker alive.
  process.channel?.unref();
}

function tell(message: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}
