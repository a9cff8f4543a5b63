import type { System } from '../system.ts';

const WEEK_SECONDS = 7 * 24 * 60 * 60;

/** The one line: a claim for a week, as long as our outcomes are kept, and nothing afterwards. */
export const setNx: System = {
  title: 'SET NX, one line',
  async open({ connect, prefix }) {
    const redis = connect();
    return ({ plain }) =>
      async (job) => {
        const key = `${prefix}:delivery-notice:${job.data.orderId}`;
        if ((await redis.set(key, '1', 'EX', WEEK_SECONDS, 'NX')) === null) return undefined;
        return plain(job);
      };
  },
};
