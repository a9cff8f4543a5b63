import type { FromWorker, WorkerPlan } from '../messages.ts';
import type { Aim } from '../points/runtime.ts';
import type { Scenario } from './scenarios.ts';

/** What a worker process is given to do; it may get several, one after the other. */
export interface Task {
  readonly scenario: Scenario;
  readonly plan: WorkerPlan;
  /** Where it dies, or is stopped. */
  readonly aim?: Aim | undefined;
}

/** A point that was passed. */
export interface Visit {
  readonly point: string;
  /** How often a socket had been written to until then: what others can know of this process. */
  readonly writes: number;
}

/** What a process asks its parent for. */
export type Question =
  | 'how often did it leave?'
  | 'cancel it'
  | 'stop the network'
  | 'cut the network';

export type ToWalker =
  | { readonly type: 'task'; readonly task: Task }
  | { readonly type: 'answer'; readonly left: number }
  /** Ends the task in order; answered by `ended`. */
  | { readonly type: 'end task' };

export type FromWalker =
  | FromWorker
  | { readonly type: 'question'; readonly question: Question }
  | { readonly type: 'ended'; readonly visits: readonly Visit[] };
