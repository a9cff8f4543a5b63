// Everything is about forty times shorter than in production, in the same proportions.

/** BullMQ's lock on a job, renewed at half, where a worker stops; its default is 30,000. */
export const LOCK_MS = 800;
/**
 * The lock where no worker stops. On a busy machine a short one would end too early, and BullMQ
 * would run the job again.
 */
export const CALM_LOCK_MS = 30_000;
/** How often BullMQ looks for stalled jobs; its default is 30,000. */
export const STALLED_INTERVAL_MS = 400;
/** How long a claim (or a redlock lock) lives without being renewed. */
export const LEASE_MS = 720;
/** How late the notice is due. */
export const DELAY_MS = 150;
export const BACKOFF_MS = 100;
export const ATTEMPTS = 5;
/** How long the event loop is blocked: past the lock, and past the check that finds it gone. */
export const BLOCKED_MS = 1800;
/** The earliest time at which a frozen worker continues after another one has done the job. */
export const FROZEN_AT_LEAST_MS = LOCK_MS + LEASE_MS;
/**
 * The latest time at which it continues: with one worker, or under a lock of PostgreSQL, no other
 * worker can do the job.
 */
export const FROZEN_AT_MOST_MS = 4000;

/** So many workers share a cell that has one job. Such cells run side by side. */
export const GROUP = 8;
