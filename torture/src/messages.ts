import type { Aim } from './points/runtime.ts';
import type { SystemName } from './systems/names.ts';
import type { Timing } from './timing.ts';

/** What a worker process is started with. */
export interface WorkerPlan {
  readonly worker: number;
  readonly system: SystemName;
  readonly queue: { readonly url: string; readonly name: string; readonly prefix: string };
  /** Where the system keeps what it remembers: one URL, three of them for redlock, none. */
  readonly storeUrls: readonly string[];
  /** Begins its keys there, or names its schema. */
  readonly storePrefix: string;
  readonly smtpPort: number;
  readonly provider: { readonly url: string; readonly apiKey: string };
  readonly concurrency: number;
  readonly timing: Timing;
}

export type ToWorker =
  /** Dies, or stops, at a point. */
  | { readonly type: 'aim'; readonly aim: Aim }
  /** Holds the event loop. */
  | { readonly type: 'block'; readonly forMs: number }
  /** Sets the clock ahead of the true time, or behind it. */
  | { readonly type: 'clock'; readonly aheadMs: number }
  /** `worker.close(true)`, and a new Worker in the same process: what was under way continues. */
  | { readonly type: 'close' }
  /** Answers by `measured`. */
  | { readonly type: 'measure' }
  /** Ends in order. */
  | { readonly type: 'end' };

/** What a process holds, after a garbage collection. */
export interface Measure {
  readonly heapMb: number;
  /** Sockets, timers and all else that keeps Node alive. */
  readonly resources: number;
  readonly openFiles: number;
}

/** One step of one attempt, as the worker saw it. */
export interface Step {
  readonly email: number;
  readonly job: string;
  /** `start`, `threw DelayedError`, `claimed`, `dispatched`, … */
  readonly what: string;
  readonly token?: string;
  readonly atMs: number;
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'measured'; readonly measure: Measure }
  | { readonly type: 'failed'; readonly error: string };
