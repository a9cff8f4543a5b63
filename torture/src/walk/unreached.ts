import { ledgerNames } from '../systems/names.ts';
import type { Walk } from './walk.ts';

/** Why the path of a job does not pass there. */
const reasons: readonly (readonly [place: RegExp, why: string])[] = [
  [/^torture /, 'another system, or the processor of another route'],
  [/^bullmq doubt-sweeper /, 'the sweeper: a process of its own'],
  [/^bullmq (?!once )/, 'delayedEmails(): the producer, not the worker'],
  [/^core confirm-sent /, 'confirmSent(): a webhook'],
  [/^core (find-emails|overview|retry-job) /, 'who looks, and what runs a job again: for people'],
  [/^redis redis-journal /, 'the journal: beside all emails, and none waits for it'],
  [
    /^redlock claim makeKnown\(/,
    'a doubt of one node alone: races.test.ts, and left to the random run',
  ],
  [/^core store | list\(\)| openKeys\(\)/, 'list(): for people; it only reads'],
  [/^mail providers\/[\w-]*look-up /, 'a look-up: a resolver that only reads'],
  [/ cancel\(\)| cancelOn\(\)| cancelByMajority\(\)/, 'cancel(): the producer, not the worker'],
  [
    /^redis durability |^redis batch leave\(\): called/,
    '"durability": needs a replica to wait for',
  ],
  [/^redis node-redis /, 'fromNodeRedis(): another client'],
  [/^postgres transaction-pool |^postgres pooler (?!backendOf)/, 'behind a pooler'],
  [
    /^postgres migrate migratePostgres| ready\(\)| close\(\)| settled\(\)/,
    'begin and end of a program',
  ],
  [
    /^postgres rights missingRights| checkRights\(\): missing/,
    'a role without rights: nothing runs',
  ],
  [
    /^postgres expiry | disown\(| sweep\(pool/,
    'housekeeping: about once a minute, beside all jobs',
  ],
  [/ doctor /, 'what the doctor asks only of other servers'],
  [/^redlock claim \w+\(\): sleep/, 'rivals in the same moment: left to the random run'],
  [
    /claimDispatched\(key|isSentOnTheRest\(|finishSent\(|finishNotSent\(|settleByMajority\(\): takeBack|within\(pageWithinMs, paste| heartbeat\(\): Promise.all\(votes\) #2/,
    'a node that missed something: left to the random run',
  ],
  [
    /^core conclude (sentOrUnknown|hasDispatched|giveBack\(\): (hasDispatched|insist\(\(\) => ledger.settle))| concludeLoss\(| confirmReplay\(/,
    'an attempt that sleeps until its doubt is called: passed by --freeze',
  ],
  [/^postgres migrate /, 'a migration that fails, or of an older schema'],
  [
    / lose\(\): sleep| send\(act, \[one\]\)| explain\(error/,
    'a database that goes on to refuse: left to the random run',
  ],
];

export interface Unreached {
  readonly why: string;
  readonly points: readonly string[];
}

/** Only a ledger in the queue's own Redis settles on the connection of the worker. */
const besideTheQueue = / settleVia\(\)| isSameServer\(\)| settleBeside\(\)|: left$/;

/** The awaits that no scenario passes, by the reason why; those without one are on the path of a job. */
export function unreachedOf({ system, undisturbed, names }: Walk): Unreached[] {
  const passed = new Set(
    undisturbed.flatMap(({ visits }) => visits.map(({ point }) => awaitOf(point))),
  );
  // The redlock ledger is made of Redis ledgers.
  const others: readonly string[] = ledgerNames.filter(
    (name) => name !== system && !(system === 'redlock' && name === 'redis'),
  );
  const groups = new Map<string, string[]>();
  for (const name of names) {
    if (passed.has(name) || others.includes(name.split(' ')[0]!)) continue;
    if (system !== 'redis' && besideTheQueue.test(name)) continue;
    const why = reasons.find(([place]) => place.test(name))?.[1] ?? NO_REASON;
    groups.set(why, [...(groups.get(why) ?? []), name]);
  }
  return [...groups].map(([why, points]) => ({ why, points }));
}

export const NO_REASON = 'on the path of a job: a scenario is missing';

/** A point without "before" or "after". */
export function awaitOf(point: string): string {
  return point.replace(/^(before|after) /, '');
}
