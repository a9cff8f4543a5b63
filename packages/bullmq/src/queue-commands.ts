import { listJobIds, type QueueLike } from './email-jobs.ts';
import { isStampedWith, type ScheduleStamp } from './schedule-stamp.ts';

/** The commands of the queue's own Redis client that are used here. Not every client has all. */
interface QueueRedis {
  exists?(...keys: string[]): Promise<number>;
  eval?(script: string, keys: number, ...args: string[]): Promise<unknown>;
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

/**
 * KEYS: the four jobs of an email, for each email. ARGV: the token of its stamp. Replies 1 for each
 * email whose first job has the token and which has no other job, and 0 otherwise.
 */
const FIND_ONLY_JOBS = `
local only = {}
for index, token in ipairs(ARGV) do
  local last = index * 4
  local options = redis.call('HGET', KEYS[last - 3], 'opts')
  local own = options and string.find(options, token, 1, true)
  only[index] = own and redis.call('EXISTS', KEYS[last - 2], KEYS[last - 1], KEYS[last]) == 0 and 1 or 0
end
return only`;

/** The part of a stamp that shows whose job it is. */
type Stamp = Pick<ScheduleStamp, 'key' | 'token'>;

/**
 * Whether the job with this stamp is the only job of its email. On Redis, it is one command for all
 * of them, and the data of the jobs are not read.
 */
export async function areOnlyJobs<D>(
  queue: QueueLike<D>,
  stamps: readonly Stamp[],
): Promise<readonly boolean[]> {
  const redis = await redisOf(queue);
  if (!redis?.eval) return Promise.all(stamps.map((stamp) => isOnlyJob(queue, stamp)));
  const keys = stamps.flatMap(({ key }) => listJobIds(key).map((id) => queue.toKey(id)));
  const tokens = stamps.map(({ token }) => token);
  const replies = (await redis.eval(FIND_ONLY_JOBS, keys.length, ...keys, ...tokens)) as unknown[];
  return stamps.map((_, index) => Number(replies[index]) === 1);
}

async function isOnlyJob<D>(queue: QueueLike<D>, { key, token }: Stamp): Promise<boolean> {
  const [first, ...others] = listJobIds(key);
  const [job, count] = await Promise.all([queue.getJob(first!), countJobs(queue, others)]);
  return job !== undefined && isStampedWith(token, job) && count === 0;
}
