import type { WorkerPlan } from '../messages.ts';

/** Where a worker can hold every email until `end hold`. */
export type Hold =
  /** In sendMail(), when everything has been checked and nothing is connected yet. */
  | 'before the send'
  /** sendMail() has returned; the processor and the acknowledgement are still to come. */
  | 'after the send';

export interface PeerPlan extends WorkerPlan {
  readonly holds: Hold | undefined;
}

export type ToPeer =
  /** Holds nothing any more. */
  | { readonly type: 'end hold' }
  /** Blocks the event loop. */
  | { readonly type: 'block'; readonly forMs: number }
  /** `worker.close(true)`: what is under way continues. */
  | { readonly type: 'close' }
  /** Finishes what is under way, and ends. */
  | { readonly type: 'end' };

export type FromPeer = { readonly type: 'ready' } | { readonly type: 'held' };
