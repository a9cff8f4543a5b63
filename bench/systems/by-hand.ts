import type { System } from '../system.ts';

const WEEK_SECONDS = 7 * 24 * 60 * 60;

/**
 * Bare commands, each awaited, as many and in the same places as a protocol needs them. No library
 * that sends as many commands can be cheaper. They do not find out what happened to an email.
 * @param count 1, the claim alone, for a week, as long as our outcomes are kept; 2, and the
 *   outcome, as in `before-processor`; 3, and the word that an email leaves now, as in `at-send`.
 */
export function setByHand(count: 1 | 2 | 3): System {
  return {
    title: { 1: 'SET NX, one line', 2: 'two SETs by hand', 3: 'three SETs by hand' }[count],
    async open({ connect, prefix }) {
      const redis = connect();
      return ({ plain }) =>
        async (job) => {
          const key = `${prefix}:delivery-notice:${job.data.orderId}`;
          const write = (state: string) => redis.set(key, state, 'EX', WEEK_SECONDS);
          if ((await redis.set(key, 'claimed', 'EX', WEEK_SECONDS, 'NX')) === null)
            return undefined;
          if (count === 3) await write('dispatched');
          const result = await plain(job);
          if (count >= 2) await write('sent');
          return result;
        };
    },
  };
}
