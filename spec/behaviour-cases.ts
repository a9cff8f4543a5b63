/** What the behaviour vectors ask. `make-behaviour.ts` adds what the memory ledger replies. */
import type { Attempt } from '../packages/core/src/index.ts';
import type { Question, Verb } from './behaviour.ts';

export interface BehaviourCase {
  readonly name: string;
  readonly exact?: true;
  /** Fields in which an attempt differs from the ordinary one. */
  readonly attempts: Readonly<Record<string, Partial<Attempt>>>;
  readonly questions: readonly Question[];
}

/** Milliseconds: a lease or retention that ends within a vector, and one that does not. */
export const SHORT_MS = 200;
export const LONG_MS = 600_000;

/** A request without its time: verb, attempt, what is added. */
type Request = readonly [verb: Verb, attempt: string, more?: Question['with']];
type Asked = Request | { readonly passMs: number; readonly silence?: true };

const sent = { outcome: 'sent', result: '{"id":1}', messageId: '<1@shop.example>' };
const rejected = { outcome: 'rejected', note: '550' };
const skipped = { outcome: 'skipped', note: 'unsubscribed' };
const inDoubt = { outcome: 'in-doubt', note: 'ETIMEDOUT' };
const isSent = { verdict: 'sent', by: 'Ada: in the mail log' };
const isNotSent = { verdict: 'not-sent', by: 'Ada: not in the mail log' };

/** How a record gets into each state, by the attempt `holder`. */
const states: Readonly<Record<string, readonly Request[]>> = {
  absent: [],
  claimed: [['claim', 'holder']],
  dispatched: [
    ['claim', 'holder'],
    ['dispatch', 'holder'],
  ],
  'in doubt': [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', inDoubt],
  ],
  sent: [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', sent],
  ],
  rejected: [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', rejected],
  ],
  skipped: [
    ['claim', 'holder'],
    ['settle', 'holder', skipped],
  ],
  cancelled: [
    ['claim', 'holder'],
    ['cancel', 'holder', { by: 'customer' }],
  ],
};

/** Every verb with each of its outcomes. */
const verbs: readonly (readonly [name: string, verb: Verb, more?: Question['with']])[] = [
  ['claim', 'claim'],
  ['claim with dispatch', 'claim', { dispatched: true }],
  ['dispatch', 'dispatch'],
  ['settle sent', 'settle', sent],
  ['settle sent without dispatch', 'settle', { ...sent, undispatched: true }],
  ['settle rejected', 'settle', rejected],
  ['settle skipped', 'settle', skipped],
  ['settle in-doubt', 'settle', inDoubt],
  ['release', 'release'],
  ['heartbeat', 'heartbeat'],
  ['resolve sent', 'resolve', isSent],
  ['resolve not-sent', 'resolve', isNotSent],
  ['cancel', 'cancel', { by: 'shop' }],
];

/** Every verb from every state, by the holder of the record and by another attempt. */
const table: readonly BehaviourCase[] = Object.entries(states).flatMap(([state, setup]) =>
  verbs.flatMap(([name, verb, more]) => {
    const askers = state === 'absent' || verb === 'cancel' ? ['holder'] : ['holder', 'other'];
    return askers.map((asker) => {
      const whose = state === 'absent' || verb === 'cancel' ? '' : ` by the ${asker}`;
      return story(
        `${name} from ${state}${whose}`,
        asker === 'holder' ? { holder: {} } : { holder: {}, other: {} },
        [...setup, [verb, asker, more]],
      );
    });
  }),
);

const short = { leaseMs: SHORT_MS };
const keptShortly = { retentionMs: SHORT_MS };
const pass: Asked = { passMs: 1.5 * SHORT_MS };
const silence: Asked = { passMs: 2.5 * SHORT_MS, silence: true };

const stories: readonly BehaviourCase[] = [
  story('a claim vanishes with its lease, and another attempt wins', { holder: short, other: {} }, [
    ['claim', 'holder'],
    silence,
    ['claim', 'other'],
    ['dispatch', 'holder'],
    ['settle', 'holder', rejected],
  ]),
  story('a dispatch after the lease finds nothing', { holder: short }, [
    ['claim', 'holder'],
    silence,
    ['dispatch', 'holder'],
  ]),
  story(
    'a dispatched email is in doubt after two leases of silence',
    { holder: short, other: {} },
    [
      ['claim', 'holder'],
      ['dispatch', 'holder'],
      silence,
      ['claim', 'other'],
      ['claim', 'holder'],
      ['release', 'holder'],
      ['settle', 'holder', sent],
      ['claim', 'other'],
    ],
  ),
  story('a heartbeat ends the silence of a doubt', { holder: short }, [
    ['claim', 'holder', { dispatched: true }],
    silence,
    ['heartbeat', 'holder', { leaseMs: LONG_MS }],
    ['settle', 'holder', rejected],
  ]),
  story('a doubt that was resolved as not sent may be sent', { holder: short, other: {} }, [
    ['claim', 'holder', { dispatched: true }],
    silence,
    ['resolve', 'other', isNotSent],
    ['resolve', 'holder', isNotSent],
    ['resolve', 'holder', isNotSent],
    ['claim', 'other'],
  ]),
  story('a late sender replaces the verdict of a person', { holder: {} }, [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', inDoubt],
    ['resolve', 'holder', isSent],
    ['settle', 'holder', rejected],
  ]),
  story('a late "not sent" is kept with the doubt until it is resolved', { holder: {} }, [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', { ...inDoubt, lateNotSent: true }],
    ['resolve', 'holder', isSent],
  ]),
  story('an outcome is absent when its retention is over', { holder: keptShortly, other: {} }, [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', sent],
    pass,
    ['claim', 'other'],
  ]),
  story('a doubt outlives the retention', { holder: keptShortly, other: {} }, [
    ['claim', 'holder', { dispatched: true }],
    ['settle', 'holder', inDoubt],
    pass,
    ['claim', 'other'],
  ]),
  story('a cancellation is over when its retention is', { holder: keptShortly, other: {} }, [
    ['cancel', 'holder', { by: 'customer' }],
    ['claim', 'other'],
    pass,
    ['claim', 'other'],
  ]),
  story('a repeat with the same token keeps texts and time', { holder: {} }, [
    ['claim', 'holder'],
    ['claim', 'holder'],
    ['dispatch', 'holder'],
    ['dispatch', 'holder'],
    ['claim', 'holder', { by: 'another host' }],
    ['settle', 'holder', sent],
    ['settle', 'holder', sent],
    ['release', 'holder'],
  ]),
  story(
    'another fingerprint under the same key is a conflict, and names the fields',
    {
      holder: { fingerprint: 'to=abcdef&total=111111' },
      other: { fingerprint: 'to=abcdef&total=222222' },
    },
    [
      ['claim', 'holder'],
      ['claim', 'other'],
      ['dispatch', 'other'],
      ['settle', 'holder', sent],
      ['claim', 'other'],
      ['claim', 'holder'],
    ],
  ),
  story(
    'a fingerprint on one side only is no conflict',
    { holder: { fingerprint: 'to=abcdef' }, other: {} },
    [
      ['claim', 'holder'],
      ['claim', 'other'],
    ],
  ),
  story(
    'all texts of a record come back',
    {
      holder: {
        job: { queue: 'notices', id: 'order:7' },
        by: 'host "a"\n\\ \u{1f4e7}',
        digest: 'abc',
        fingerprint: 'to=abcdef',
      },
      other: {},
    },
    [
      ['claim', 'holder'],
      ['dispatch', 'holder'],
      ['settle', 'holder', inDoubt],
      ['resolve', 'holder', isSent],
      ['claim', 'other'],
    ],
  ),
  story('the lists have what is dispatched, and what is in doubt', { holder: short }, [
    ['list', '', { state: 'open' }],
    ['claim', 'holder'],
    ['list', '', { state: 'open' }],
    ['dispatch', 'holder'],
    ['list', '', { state: 'open' }],
    ['list', '', { state: 'in-doubt' }],
    silence,
    ['list', '', { state: 'open' }],
    ['list', '', { state: 'in-doubt' }],
    ['settle', 'holder', sent],
    ['list', '', { state: 'open' }],
  ]),
  exact(
    'a lease, a doubt and a retention end on the millisecond',
    { holder: { ...short, ...keptShortly } },
    [
      ['claim', 'holder'],
      { passMs: SHORT_MS - 2 },
      ['heartbeat', 'holder'],
      { passMs: SHORT_MS - 2 },
      ['dispatch', 'holder'],
      { passMs: 2 * SHORT_MS - 2 },
      ['list', '', { state: 'in-doubt' }],
      ['list', '', { state: 'in-doubt' }],
      ['settle', 'holder', rejected],
      { passMs: SHORT_MS - 2 },
      ['resolve', 'holder', isSent],
      ['resolve', 'holder', isNotSent],
      ['claim', 'holder'],
      { passMs: SHORT_MS - 1 },
      ['dispatch', 'holder'],
    ],
  ),
  exact('busy says for how long at most, a doubt since when', { holder: short, other: {} }, [
    ['claim', 'holder'],
    { passMs: 49 },
    ['claim', 'other'],
    ['dispatch', 'holder'],
    { passMs: 49 },
    ['dispatch', 'other'],
    { passMs: 2 * SHORT_MS },
    ['claim', 'other'],
  ]),
];

export const behaviourCases: readonly BehaviourCase[] = [...table, ...stories];

/** One millisecond passes with each request, so that each has its own time. */
function story(
  name: string,
  attempts: BehaviourCase['attempts'],
  asked: readonly Asked[],
): BehaviourCase {
  let atMs = -1;
  let silent = false;
  const questions: Question[] = [];
  for (const one of asked) {
    if ('passMs' in one) {
      atMs += one.passMs;
      silent = one.silence === true;
      continue;
    }
    const [verb, attempt, more] = one;
    questions.push({
      atMs: (atMs += 1),
      ...(silent && { silence: true }),
      verb,
      ...(attempt !== '' && { attempt }),
      ...(more && { with: more }),
    });
    silent = false;
  }
  return { name, attempts, questions };
}

function exact(...given: Parameters<typeof story>): BehaviourCase {
  return { exact: true, ...story(...given) };
}
