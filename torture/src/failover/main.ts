/**
 * Counts the emails that leave twice when PostgreSQL fails over to a standby: real servers, a real
 * crash of the primary together with its sender, and a copy of every job after the promotion.
 *
 *     pnpm torture:failover           five rounds of 120 emails for each kind of standby
 *     pnpm torture:failover 20        twenty rounds
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failOver, type Replication, type Tally } from './fail-over.ts';

const rounds = Number(process.argv[2] ?? 5);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('Expected a number of rounds.');
/** Of one round: two servers and two senders take some seconds. */
const LIMIT_MS = 90_000;

const kinds: readonly (readonly [string, Replication])[] = [
  ['a synchronous standby', { synchronous: true, laggingEmails: 0 }],
  ['an asynchronous standby', { synchronous: false, laggingEmails: 0 }],
  ['an asynchronous standby that lags', { synchronous: false, laggingEmails: 20 }],
];

for (const [name, replication] of kinds) {
  const total: Tally = { once: 0, listed: 0, twice: 0, lost: 0 };
  for (let round = 0; round < rounds; round++) {
    const tally = await withinLimit(failOver(replication));
    for (const kind of Object.keys(total) as (keyof Tally)[]) total[kind] += tally[kind];
  }
  const { once, listed, twice, lost } = total;
  console.log(`${name}: ${once} once, ${listed} listed, ${twice} twice, ${lost} dropped silently`);
  if (lost > 0 || (replication.synchronous && twice > 0)) process.exitCode = 1;
}

async function withinLimit<T>(round: Promise<T>): Promise<T> {
  const limit = sleep(LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`a round took more than ${LIMIT_MS} ms`);
  });
  return Promise.race([round, limit]);
}
