import { writeSync } from 'node:fs';

/** Where a process can be struck: at an await, before it or when it has its answer. */
export interface Aim {
  readonly action: 'kill' | 'stop';
  /** The point by its name, … */
  readonly point?: string;
  /** … or the n-th one that is passed from now on. */
  readonly passes?: number;
  /** Forgotten after so many ms. @default never */
  readonly withinMs?: number;
}

/** What is written to stderr before the blow, for the parent to read: nothing else survives it. */
const struck = (action: Aim['action']) => `struck (${action}) `;

/** The point of the last blow in what a process has written. */
export function lastStruck(action: Aim['action'], output: string): string | undefined {
  return output.split(struck(action)).slice(1).at(-1)?.split('\n')[0];
}

const aims = new Set<{ aim: Aim; left: number; untilMs: number }>();
let listener: ((point: string) => void) | undefined;

/** Strikes this process where the aim says, once. */
export function aimAt(aim: Aim): void {
  const untilMs = performance.now() + (aim.withinMs ?? Infinity);
  aims.add({ aim, left: aim.passes ?? 1, untilMs });
}

/** Calls the listener at every point that is passed. */
export function onPoint(heard: (point: string) => void): void {
  listener = heard;
}

/** What the rewritten sources call; they are bundled apart, so it is found by its name. */
export const hook = '__sendonceTorturePoint';
(globalThis as Record<string, unknown>)[hook] = (point: string, value?: unknown): unknown => {
  listener?.(point);
  if (aims.size > 0) strike(point);
  return value;
};

function strike(point: string): void {
  for (const target of aims) {
    const { aim } = target;
    if (performance.now() > target.untilMs) {
      aims.delete(target);
      continue;
    }
    if (aim.point !== undefined && aim.point !== point) continue;
    target.left -= 1;
    if (target.left > 0) continue;
    aims.delete(target);
    writeSync(2, `${struck(aim.action)}${point}\n`);
    process.kill(process.pid, aim.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  }
}
