/**
 * Counts the emails that leave twice when a master fails over right after a dispatch. Not part of
 * the test run: 200 failovers by real Sentinels, eight at a time, take some minutes.
 *
 *     NODE_OPTIONS=--disable-warning=SENDONCE_DOCTOR npx tsx bench/failovers.ts 200
 */
import type { Durability } from '@sendonce/redis';
import { startSentinels } from '@sendonce/testkit';
import { failOver } from '../packages/redis/test/failover.ts';

const runs = Number(process.argv[2] ?? 200);
const AT_A_TIME = 8;
const LAG_MS = 5;
const LATEST_KILL_MS = 15;

await main();

async function main(): Promise<void> {
  console.log(`${runs} failovers for each line; the replica lags by ${LAG_MS} ms.`);
  for (const moment of ['once the email has left', 'at any moment'] as const) {
    await count('without durability', moment);
    await count('durability: { replicas: 1 }', moment, { replicas: 1, answerWithinMs: 500 });
  }
}

type Moment = 'once the email has left' | 'at any moment';

async function count(name: string, moment: Moment, durability?: Durability): Promise<void> {
  const sentinels = await startSentinels(3);
  const tally = { once: 0, twice: 0, inDoubt: 0, lost: 0, atOnce: 0 };
  let begun = 0;
  const lane = async () => {
    while (begun < runs) {
      const anyMs = (begun++ / runs) * LATEST_KILL_MS;
      const { emails, inDoubt, leftAtOnce } = await failOver(sentinels, {
        lagMs: LAG_MS,
        killAfterMs: moment === 'at any moment' ? anyMs : moment,
        ...(durability && { durability }),
      });
      if (leftAtOnce) tally.atOnce++;
      if (emails > 1) tally.twice++;
      else if (emails === 1) tally.once++;
      else if (inDoubt) tally.inDoubt++;
      else tally.lost++;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  } finally {
    await sentinels.stop();
  }
  const when = moment === 'at any moment' ? `0 to ${LATEST_KILL_MS} ms after the claim` : moment;
  console.log(
    `master killed ${when}, ${name}: ${tally.twice} of ${runs} emails left twice, ${tally.once} once, ` +
      `${tally.inDoubt} are in doubt and did not leave, ${tally.lost} were dropped silently ` +
      `(${tally.atOnce} had left before the master died)`,
  );
}
