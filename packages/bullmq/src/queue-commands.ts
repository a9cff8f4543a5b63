import { jobIdOf } from '@sendonce/core';
import { listJobIds, type QueueLike } from './email-jobs.ts';
import { isStampedWith, type ScheduleStamp } from './schedule-stamp.ts';

/** The commands of the queue's own Redis client that are used here. Not every client has all. */
interface QueueRedis {
  exists?(...keys: string[]): Promise<number>;
  eval?(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>;
  zscore?(key: string, member: string): Promise<string | number | null>;
}

/** The Redis client of a queue. Undefined if the queue is not on Redis. */
export async function redisOf<D>(queue: QueueLike<D>): Promise<QueueRedis | undefined> {
  const { client } = (queue.backend ?? queue) as { readonly client?: unknown };
  return (await client) as QueueRedis | undefined;
}

/** How many jobs with these ids the queue has. On Redis, it is one command. */
export async function countJobs<D>(queue: QueueLike<D>, ids: readonly string[]): Promise<number> {
  const redis = await redisOf(queue);
  if (redis?.exists) return redis.exists(...ids.map((id) => queue.toKey(id)));
  const jobs = await Promise.all(ids.map((id) => queue.getJob(id)));
  return jobs.filter(Boolean).length;
}

/** The key that `cancel()` leaves beside the jobs of an email. */
const traceOf = <D>(queue: QueueLike<D>, key: string) => queue.toKey(`${jobIdOf(key)}.cancelled`);

/**
 * Leaves a trace of a cancellation, before the ledger cancels. A call of `schedule()` that adds its
 * job after that sees the trace and reads the record; the job of a call before that is there when
 * `cancel()` looks for jobs: one of the two sees the other.
 */
export async function leaveTrace<D>(
  queue: QueueLike<D>,
  key: string,
  keptMs: number,
): Promise<void> {
  const redis = await redisOf(queue);
  const script = "return redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])";
  await redis?.eval?.(script, 1, traceOf(queue, key), keptMs);
}

/**
 * KEYS: the four jobs of an email and the trace of its cancellation, for each email. ARGV: the
 * token of its stamp. Replies 1 for each email whose first job has the token, and which has no
 * other job and no trace, and 0 otherwise.
 */
const FIND_ONLY_JOBS = `
local only = {}
for index, token in ipairs(ARGV) do
  local at = index * 5
  local options = redis.call('HGET', KEYS[at - 4], 'opts')
  local own = options and string.find(options, token, 1, true)
  only[index] = own and redis.call('EXISTS', KEYS[at - 3], KEYS[at - 2], KEYS[at - 1], KEYS[at]) == 0 and 1 or 0
end
return only`;

/** The part of a stamp that shows whose job it is. */
type Stamp = Pick<ScheduleStamp, 'key' | 'token'>;

/** Whether each job with one of these stamps is the only job of its email. */
export type FindOnlyJobs = (stamps: readonly Stamp[]) => Promise<readonly boolean[]>;

/**
 * Finds out with one command which of these jobs are the only job of their email, and whether the
 * email is being cancelled. The data of the jobs are not read. Undefined if the queue is not on
 * Redis, or its client cannot run scripts.
 */
export async function onlyJobsOnRedis<D>(queue: QueueLike<D>): Promise<FindOnlyJobs | undefined> {
  const redis = await redisOf(queue);
  if (!redis?.eval) return undefined;
  return async (stamps) => {
    const keys = stamps.flatMap(({ key }) => [
      ...listJobIds(key).map((id) => queue.toKey(id)),
      traceOf(queue, key),
    ]);
    const tokens = stamps.map(({ token }) => token);
    const replies = (await redis.eval!(
      FIND_ONLY_JOBS,
      keys.length,
      ...keys,
      ...tokens,
    )) as unknown[];
    return stamps.map((_, index) => Number(replies[index]) === 1);
  };
}

/** Whether the job with this stamp is the only job of its email. */
export async function isOnlyJob<D>(queue: QueueLike<D>, { key, token }: Stamp): Promise<boolean> {
  const [first, ...others] = listJobIds(key);
  const [job, count] = await Promise.all([queue.getJob(first!), countJobs(queue, others)]);
  return job !== undefined && isStampedWith(token, job) && count === 0;
}
