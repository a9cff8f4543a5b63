import type { GuardId } from './guards.ts';

/** What a worker process needs to know to take part in a cell. */
export interface CellPlan {
  /** `scenario/guard` */
  readonly id: string;
  readonly guard: GuardId;
  readonly queue: string;
  /** Of BullMQ's keys. */
  readonly prefix: string;
  /** Of the guard's keys; the name of its schema. */
  readonly guardPrefix: string;
  /** For BullMQ. */
  readonly redisUrl: string;
  /**
   * Where the guard's store is: Redis, three of them for redlock, or PostgreSQL. In one scenario
   * the first one is reached through a proxy that cuts the connection.
   */
  readonly guardUrls: readonly [string, ...string[]];
  readonly smtpPort: number;
  /** BullMQ's lock on a job. */
  readonly lockMs: number;
  /** Whether the processor throws after it has sent. */
  readonly failsAfterSend: boolean;
}

export type EventKind =
  /** A run of the processor, guard included, begins and ends. */
  | 'start'
  | 'end'
  /** Waits for a lock. */
  | 'wait'
  | 'claim'
  /** Another worker is sending: comes back later. */
  | 'busy'
  /** The email was already sent: completes without sending. */
  | 'already-sent'
  | 'dispatch'
  /** Lost the claim before dispatch: does not send. */
  | 'lost'
  | 'in-doubt'
  | 'error'
  /** The SMTP server has accepted an email. */
  | 'email'
  | 'kill'
  | 'restart'
  | 'freeze'
  | 'thaw'
  | 'block'
  | 'unblock'
  /** The connection to the store was cut. */
  | 'cut';

export interface LaneEvent {
  readonly kind: EventKind;
  /** Which worker: from 1. */
  readonly worker: number;
  /** `Date.now()`: all processes are on one machine. */
  readonly atMs: number;
}

export type ToWorker =
  | { readonly type: 'open'; readonly cell: CellPlan }
  /** The answer to `about-to-send`. */
  | { readonly type: 'go'; readonly run: number; readonly blockMs?: number };

export type FromWorker =
  | { readonly type: 'opened'; readonly cell: string }
  | {
      readonly type: 'event';
      readonly cell: string;
      readonly run: number;
      readonly event: LaneEvent;
    }
  /** The run has rendered its email and waits for `go`. */
  | { readonly type: 'about-to-send'; readonly cell: string; readonly run: number }
  | { readonly type: 'failed'; readonly error: string };
