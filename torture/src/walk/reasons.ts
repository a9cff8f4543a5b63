/**
 * Why the path of a job does not pass some awaits, with a pattern for each group of their names.
 */
export interface Reason {
  readonly why: string;
  /** Each one matches an await that exists: a test finds those that are stale. */
  readonly places: readonly RegExp[];
}

/** The first reason that matches counts. */
export const reasons: readonly Reason[] = [
  { why: 'another system, or the processor of another route', places: [/^torture /] },
  { why: 'the sweeper: another process', places: [/^bullmq doubt-sweeper /] },
  {
    why: 'delayedEmails(): the producer, not the worker',
    places: [
      /^bullmq add-emails /,
      /^bullmq cancel-email /,
      /^bullmq delayed-emails /,
      /^bullmq email-jobs /,
      /^bullmq pages /,
      /^bullmq queue-commands /,
      /^bullmq replace-jobs /,
      /^bullmq reschedule-email /,
      /^bullmq schedule-email /,
    ],
  },
  { why: 'perform() in a script', places: [/^core attempt\/perform waitWhileBusy\(\)/] },
  { why: 'confirmSent(): a webhook', places: [/^core doubts\/confirm-sent /] },
  {
    why: 'what people ask, and what runs a job again for them',
    places: [
      /^core inspect\/find-emails /,
      /^core inspect\/overview /,
      /^core inspect\/resolve-emails /,
      /^core inspect\/retry-job /,
    ],
  },
  {
    why: 'the journal: beside all emails, and no email waits for it',
    places: [/^redis redis-journal /],
  },
  {
    why: 'list(): for people; it only reads',
    places: [/^core store\/list-records /, / list\(\)/, / openKeys\(\)/, /^redis list-open /],
  },
  {
    why: 'a look-up: a resolver that only reads',
    places: [/^providers look-up /, /^providers [\w-]+-look-up /],
  },
  {
    why: 'cancel(): the producer, not the worker',
    places: [/^postgres verbs cancel\(\)/, /^redlock cancel /],
  },
  {
    why: '"durability": needs a replica to wait for',
    places: [/^redis durability /],
  },
  { why: 'fromNodeRedis(): another client', places: [/^redis node-redis /] },
  {
    why: 'behind a pooler',
    places: [/^postgres transaction-pool /, /^postgres pooler refuseSharedBackend\(\)/],
  },
  {
    why: 'begin and end of a program',
    places: [
      /^postgres migrate migratePostgres\(\)/,
      /^postgres postgres-ledger ready\(\)/,
      /^postgres ledger-session close\(\)/,
      /^postgres session close\(\)/,
      /^postgres connection drained\(\)/,
    ],
  },
  {
    why: 'a role without rights: nothing runs',
    places: [
      /^postgres rights checkRights\(\): missingRightsError/,
      /^postgres rights missingRightsError\(\)/,
    ],
  },
  {
    why: 'housekeeping: about once a minute, beside all jobs',
    places: [
      /^postgres sweep /,
      /^postgres session-claims releaseForgotten\(\)/,
      /^postgres ledger-session prepare\(\): claims\.releaseForgotten/,
      /^postgres ledger-session prepare\(\): sweep/,
    ],
  },
  {
    why: 'a migration that fails, or of an older schema',
    places: [/^postgres migrate /, /^postgres schema-version /, / otherVersionError\(/],
  },
  {
    why: 'a database that refuses again and again: left to the random run',
    places: [
      /^postgres batch executeBatch\(\): executeBatch/,
      /^postgres ledger-session query\(\): toLedgerError/,
      /^postgres session-claims renewAfterLoss\(\): sleep/,
    ],
  },
  {
    why: 'what the doctor asks only of other servers',
    places: [
      /^redis doctor configured\(\)/,
      /^redis doctor examineDatabase\(\)/,
      /^redis doctor examineDurability\(\)/,
      /^redis doctor examineRedis\(\): examineDurability/,
      /^redis doctor examinePersistence\(\)/,
      /^redis doctor refusalOf\(\)/,
    ],
  },
  {
    why: 'a machine whose clock is wrong: wrong-clock.test.ts of bullmq',
    places: [/^bullmq park-job parkJob\(\): (sleep|job\.moveToDelayed|job\.promote)/],
  },
  {
    why: 'rivals at the same moment: left to the random run',
    places: [/^redlock claim \w+\(\): sleep/],
  },
  {
    why: 'a node that missed something: races.test.ts, and left to the random run',
    places: [
      /^redlock claim makeKnown\(\)/,
      /^redlock copy-records /,
      /^redlock redlock-ledger heartbeat\(\): Promise\.all\(votes\) #2/,
      /^redlock release isSentOnTheRest\(\)/,
      /^redlock resolve finishNotSent\(\)/,
      /^redlock resolve finishSent\(\)/,
      /^redlock settle settleByMajority\(\): undo/,
    ],
  },
  {
    why: 'a window that ends while its doubt is renewed: attacked.test.ts of core',
    places: [
      /^core attempt\/acquire replay\(\): listAgain/,
      /^core attempt\/acquire listAgain\(\)/,
    ],
  },
  {
    why: 'a resolver that does not know, and a read: attack-resolver.test.ts of core',
    places: [/^core attempt\/acquire resolveDoubt\(\): context\.ledger\.read/],
  },
  {
    why: 'an attempt that sleeps until its doubt is called: passed by --freeze',
    places: [
      /^core attempt\/acquire confirmLateDispatch\(\)/,
      /^core attempt\/dispatch confirmReplay\(\)/,
      /^core attempt\/record-outcome onlySent\(\)/,
      /^core attempt\/release-unsent endLostClaim\(\)/,
      /^core attempt\/release-unsent hasDispatched\(\)/,
      /^core attempt\/release-unsent releaseUnsent\(\): hasDispatched/,
      /^core attempt\/release-unsent releaseUnsent\(\): .*ledger\.settle\(/,
    ],
  },
  {
    why: 'a deadline that this ledger leaves to its client',
    places: [/^core store\/with-timeout /],
  },
];

/**
 * Awaits that only a ledger in the queue's own Redis passes: it settles on the worker's connection.
 */
export const besideTheQueue: readonly RegExp[] = [
  /^bullmq settle-via /,
  /^core attempt\/record-outcome recordSent\(\): settleViaQueue/,
  /^core attempt\/settle ensureSettled\(\)/,
  /^redis redis-ledger settleVia\(\)/,
  /^redis same-server /,
];

/** The patterns that match no await any more: it was renamed, moved or removed. */
export function stalePlaces(names: ReadonlySet<string>): readonly RegExp[] {
  const all = [...names];
  const places = [...reasons.flatMap((reason) => reason.places), ...besideTheQueue];
  return places.filter((place) => !all.some((name) => place.test(name)));
}
