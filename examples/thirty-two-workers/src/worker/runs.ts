import { AsyncLocalStorage } from 'node:async_hooks';

const runs = new AsyncLocalStorage<number>();
let last = 0;

/** Runs a processor under a number that is unique in this process. */
export function runWithNumber<T>(run: () => Promise<T>): Promise<T> {
  return runs.run(++last, run);
}

/** The number of the run that is under way here; 0 outside of one. */
export function runNumber(): number {
  return runs.getStore() ?? 0;
}
