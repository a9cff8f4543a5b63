/** All in ms. */
export interface Timing {
  /** BullMQ's lock on a job, renewed at half; its default is 30,000. */
  readonly lockMs: number;
  /** How often BullMQ looks for stalled jobs; its default is 30,000. */
  readonly stalledMs: number;
  readonly leaseMs: number;
  /** How long an outcome is kept; its default is seven days. */
  readonly retentionMs: number;
  /** How long a mail server or a provider may be silent; in production ten minutes. */
  readonly mailTimeoutMs: number;
  /** How long the processor works before it sends, at most. */
  readonly workMs: number;
}

/** About twenty times shorter than in production, in the same proportions. */
export const timing: Timing = {
  lockMs: 1_500,
  stalledMs: 750,
  leaseMs: 1_500,
  retentionMs: 3_600_000,
  mailTimeoutMs: 3_000,
  workMs: 20,
};

/** How long a job waits after an attempt that failed. */
export const backoff = { type: 'fixed', delay: 300, jitter: 0.5 } as const;
