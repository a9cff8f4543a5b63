import { type ChildProcess, execFileSync } from 'node:child_process';
import { perProcess } from './per-process.ts';

const shared = perProcess('children', () => ({
  children: new Set<ChildProcess>(),
  exitTasks: new Set<() => void>(),
  watching: false,
}));

/** Kills the child when this process ends, by exit, SIGINT or SIGTERM. */
export function killWithParent(child: ChildProcess): void {
  watchExit();
  shared.children.add(child);
  child.once('exit', () => shared.children.delete(child));
}

/** Runs a synchronous clean-up when this process ends. Returns a function that forgets it. */
export function onParentExit(task: () => void): () => void {
  watchExit();
  shared.exitTasks.add(task);
  return () => void shared.exitTasks.delete(task);
}

/** Resolves when the child is gone; at once if it is. */
export async function gone(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // It may have been unreferenced, and nothing else may keep us alive until then.
  child.ref();
  await new Promise<void>((resolve) => void child.once('exit', () => resolve()));
}

/**
 * The command line that makes the kernel kill the child with us, also when we die of SIGKILL, which
 * no handler sees: `setpriv --pdeathsig` of util-linux, which execs, so that the pid stays the
 * child's. Without it (macOS) the command is returned as it is.
 */
export function dyingWithParent(
  command: string,
  args: string[],
  signal: 'KILL' | 'QUIT' = 'KILL',
): [string, string[]] {
  if (!hasSetpriv()) return [command, args];
  return ['setpriv', ['--pdeathsig', signal, '--', command, ...args]];
}

let setpriv: boolean | undefined;
function hasSetpriv(): boolean {
  if (setpriv === undefined) {
    try {
      execFileSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' });
      setpriv = true;
    } catch {
      setpriv = false;
    }
  }
  return setpriv;
}

function watchExit() {
  if (shared.watching) return;
  shared.watching = true;
  process.on('exit', endAll);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const onSignal = () => {
      // Another listener handles the signal and may still need the servers; 'exit' will follow.
      if (process.listenerCount(signal) > 1) return;
      endAll();
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}

function endAll() {
  for (const child of shared.children) child.kill('SIGKILL');
  for (const task of shared.exitTasks) task();
}
