import type { Job } from 'bullmq';
import type { Stage } from './stage.ts';

/** The data of each job, the same for all systems: what a notice is made of. */
export interface Notice {
  /** Of no other job in any round. */
  readonly orderId: string;
  readonly to: string;
}

export type NoticeJob = Job<Notice, unknown>;
export type Work = (job: NoticeJob) => Promise<unknown>;

/** What the jobs of one processor do. */
export interface Works {
  /** As bare BullMQ runs it, and all systems but one. */
  readonly plain: Work;
  /** The same, marking the point of no return at the last instant. */
  readonly atSend: Work;
}

/** A way to keep an email from being sent twice: set up as its own README tells. */
export interface System {
  /** For tables and pictures. */
  readonly title: string;
  /** Connects, and answers with what wraps a processor. */
  readonly open: (stage: Stage) => Promise<(works: Works) => Work>;
}
