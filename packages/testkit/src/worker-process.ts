import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { bundleProgram, pathOf } from './bundle-worker.ts';
import { dyingWithParent, gone, killWithParent } from './children.ts';
import { type PointAction, type PointMessage, type WorkerStart, workerVariable } from './points.ts';
import { type ReachedPoint, pointBook } from './reached-points.ts';

export interface WorkerProcessOptions {
  /** The TypeScript (or JavaScript) file to run: an absolute path or a file URL. */
  file: string | URL;
  /** Shown in errors, and `workerName()` inside. @default 'worker' */
  name?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** `process.argv` from the third element on. */
  args?: string[];
  /** `workerData()` inside. JSON of at most about 100 kB. */
  data?: unknown;
  /** Points at which something happens once, from the first moment on. */
  armed?: Record<string, PointAction>;
  /** Where stdout and stderr go: kept in `output()`, or ours. @default 'collect' */
  stdio?: 'collect' | 'inherit';
}

export interface WorkerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface WorkerProcess {
  pid: number;
  name: string;
  /** Sends a message to the worker's `onParentMessage`. */
  send: (message: unknown) => void;
  /** What the worker has sent by `tellParent`, oldest first. */
  messages: unknown[];
  /** Calls the listener with each message from now on. Returns a function that stops it. */
  onMessage: (listener: (message: unknown) => void) => () => void;
  /**
   * Resolves when the worker reaches the point. Each visit answers one call, and visits before the
   * call count, so none is missed. Rejects after `timeoutMs` (10 s) or when the worker ends.
   */
  waitFor: (point: string, options?: { timeoutMs?: number }) => Promise<ReachedPoint>;
  /** Arms a point for its next visit; resolves when the worker knows. */
  arm: (point: string, action: PointAction) => Promise<void>;
  /** Continues a worker that halted at the point. */
  goOn: (point: string) => void;
  /** SIGSTOP; resolves when it is stopped. */
  stop: () => Promise<void>;
  /** Resolves when a worker that stops itself is stopped: an earlier SIGCONT would be lost. */
  stopped: () => Promise<void>;
  /** SIGCONT. */
  continue: () => void;
  /** SIGKILL; resolves when it is gone. */
  kill: () => Promise<WorkerExit>;
  /** SIGTERM, and SIGKILL after `timeoutMs` (5 s); resolves when it is gone. */
  close: (options?: { timeoutMs?: number }) => Promise<WorkerExit>;
  exited: Promise<WorkerExit>;
  /** The last 64 kB of stdout and stderr. */
  output: () => string;
}

/**
 * Runs a file in a new process that can be stopped or killed exactly at a named point.
 * It dies with this process, by any signal.
 *
 * The file is bundled once (see {@link bundleProgram}) and run by plain Node.
 *
 * @example
 * const worker = await startWorkerProcess({ file, armed: { "after-send": "halt" } });
 * await worker.waitFor("after-send");
 * await worker.kill();
 */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { name = 'worker', stdio = 'collect' } = options;
  const child = launch(await runnable(options.file), options);
  killWithParent(child);

  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on(
      'data',
      (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-65_536)),
    );
  }
  const exited = new Promise<WorkerExit>((resolve) => {
    // 'close' and not 'exit': the last output has been read.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.on('error', () => {});

  const points = pointBook(name, () => output);
  void exited.then(points.end);
  const messages: unknown[] = [];
  const listeners = new Set<(message: unknown) => void>();
  child.on('message', (message) => {
    if (points.take(message as PointMessage)) return;
    messages.push(message);
    for (const listener of listeners) listener(message);
  });

  // A message to a worker that has just died is lost, as it would be a moment later.
  const send = (message: unknown) =>
    void (child.connected && child.send(message as object, () => {}));

  return {
    pid: child.pid ?? -1,
    name,
    send,
    messages,
    onMessage: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    waitFor: points.waitFor,
    arm: (point, action) =>
      points.confirmed((id) => send({ testkit: 'arm', point, action, id } satisfies PointMessage)),
    goOn: (point) => send({ testkit: 'go-on', point } satisfies PointMessage),
    stop: async () => {
      child.kill('SIGSTOP');
      await becomesStopped(child);
    },
    stopped: () => becomesStopped(child),
    continue: () => void child.kill('SIGCONT'),
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
    close: async ({ timeoutMs = 5000 } = {}) => {
      child.kill('SIGTERM');
      // A stopped process sees SIGTERM only when it continues.
      child.kill('SIGCONT');
      const timer = setTimeout(() => void child.kill('SIGKILL'), timeoutMs);
      await gone(child);
      clearTimeout(timer);
      return exited;
    },
    exited,
    output: () => (stdio === 'inherit' ? '' : output),
  };
}

async function runnable(file: string | URL): Promise<string> {
  return /\.[cm]?ts$/.test(pathOf(file)) ? bundleProgram(file) : pathOf(file);
}

function launch(path: string, options: WorkerProcessOptions): ChildProcess {
  const { name = 'worker', args = [], env = {}, data, armed = {}, stdio = 'collect' } = options;
  const start: WorkerStart = { name, data, armed };
  const output = stdio === 'inherit' ? 'inherit' : 'pipe';
  const command = dyingWithParent(process.execPath, ['--enable-source-maps', path, ...args]);
  return spawn(...command, {
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, ...env, [workerVariable]: JSON.stringify(start) },
  });
}

/**
 * Waits until the kernel has stopped every thread, where /proc tells. A signal takes microseconds;
 * a process that is about to stop itself may wait long for its turn on busy cores.
 */
async function becomesStopped(child: ChildProcess): Promise<void> {
  for (let i = 0; i < 5_000; i++) {
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined);
    // The state follows the program's name, which is in parentheses.
    if (stat === undefined || /\) [TZX]/.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
