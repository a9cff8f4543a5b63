/** Which runs of the processor are under way, in all workers. */
export interface Runs {
  start: (worker: number, run: number) => void;
  end: (worker: number, run: number) => void;
  /** The process is gone, and its runs with it. */
  forget: (worker: number) => void;
  readonly open: number;
  /** The worker whose run began last. */
  readonly latest: number;
}

export function createRuns(): Runs {
  const open = new Map<number, Set<number>>();
  let latest = 1;
  return {
    start(worker, run) {
      latest = worker;
      open.set(worker, (open.get(worker) ?? new Set()).add(run));
    },
    end: (worker, run) => void open.get(worker)?.delete(run),
    forget: (worker) => void open.delete(worker),
    get open() {
      return [...open.values()].reduce((sum, runs) => sum + runs.size, 0);
    },
    get latest() {
      return latest;
    },
  };
}
