import assert from 'node:assert/strict';
import type { Attempt, LedgerRecord, RecordState } from '@sendonce/core';
import { claimed, dispatched, expectRecord, expectState, rivalOf } from '../steps.ts';
import { execute } from '../table/execute.ts';
import {
  callerOf,
  type Facts,
  type Operation,
  recordAfter,
  stepOf,
} from '../table/record-after.ts';
import { removeByVerbs } from '../table/remove-by-verbs.ts';
import { meet, type Transition, transitionFor, transitions } from '../table/transition-table.ts';
import type { Context, Topic, TopicCase } from '../topic.ts';

/** A verb, as an attempt asks it. */
type Ask = (attempt: Attempt) => Operation;
type State = RecordState | 'absent';

/** What one row of the table is tried on. */
interface Combination {
  readonly from: State;
  readonly isOwn: boolean;
  /** The fingerprint of the caller. */
  readonly fingerprint: string;
  readonly ask: Ask;
}

const THEIRS = 'to=abc&total=1';
const OTHER = 'to=abc&total=2';

const verdict = { verb: 'resolve', by: 'Ada: "asked the customer"' } as const;
const claims: readonly Ask[] = [
  (attempt) => ({ ...attempt, verb: 'claim' }),
  (attempt) => ({ ...attempt, verb: 'claim', dispatched: true }),
];
const asks: readonly Ask[] = [
  ...claims,
  (attempt) => ({ ...attempt, verb: 'dispatch' }),
  (attempt) => ({ ...attempt, verb: 'settle', outcome: 'sent', result: '2', messageId: '<2@x>' }),
  (attempt) => ({ ...attempt, verb: 'settle', outcome: 'sent', undispatched: true }),
  (attempt) => ({ ...attempt, verb: 'settle', outcome: 'rejected', note: '551' }),
  (attempt) => ({ ...attempt, verb: 'settle', outcome: 'skipped', note: 'unsubscribed' }),
  (attempt) => ({ ...attempt, verb: 'settle', outcome: 'in-doubt', note: 'ECONNRESET' }),
  ({ key, token }) => ({ key, token, verb: 'release' }),
  (attempt) => ({ ...attempt, verb: 'heartbeat' }),
  ({ key, token, retentionMs }) => ({ ...verdict, key, token, retentionMs, verdict: 'sent' }),
  ({ key, token, retentionMs }) => ({ ...verdict, key, token, retentionMs, verdict: 'not-sent' }),
  ({ key, retentionMs }) => ({ key, retentionMs, verb: 'cancel', by: 'customer' }),
];

const states: readonly State[] = [
  'absent',
  'claimed',
  'dispatched',
  'in-doubt',
  'sent',
  'rejected',
  'skipped',
  'cancelled',
];

/** Every verb from every state, by the holder of the record and by another attempt. */
const combinations: readonly Combination[] = states.flatMap((from) =>
  [true, false].flatMap((isOwn) => [
    ...asks.map((ask) => ({ from, isOwn, fingerprint: THEIRS, ask })),
    ...claims.map((ask) => ({ from, isOwn, fingerprint: OTHER, ask })),
  ]),
);

const rows: readonly TopicCase[] = transitions.map((row) => {
  const covered = combinations.filter((combination) => rowOf(combination) === row);
  return {
    title: row.title,
    async run(context) {
      assert.notEqual(covered.length, 0, 'no case tries this row');
      for (const combination of covered) {
        const holder = await holderOf(context, combination.from);
        await check(context, holder, combination);
      }
    },
  };
});

const overTime: readonly TopicCase[] = [
  {
    title: 'a doubt by silence is met like one that was settled, by every verb',
    async run(context) {
      const covered = combinations.filter(({ from }) => from === 'in-doubt');
      const holders = await Promise.all(covered.map(() => claimed(context, textsOf('holder'))));
      const { ledger, unitMs } = context;
      await Promise.all(holders.map((one) => ledger.dispatch({ ...one, leaseMs: unitMs })));
      await context.fallSilent(2.5 * unitMs);
      for (const [index, combination] of covered.entries()) {
        await check(context, holders[index]!, combination);
      }
    },
  },
  {
    title: 'a repeat by the own token starts the lease or the mark anew',
    async run(context) {
      const { ledger, unitMs } = context;
      // Each lasts for six units.
      const start = (state: typeof claimed, leaseMs: number, count: number) =>
        Promise.all(Array.from({ length: count }, () => state(context, { leaseMs })));
      const [claims, dispatches] = await Promise.all([
        start(claimed, 6 * unitMs, 2),
        start(dispatched, 3 * unitMs, 3),
      ]);
      await context.advance(3.5 * unitMs);
      const [claim, repeatedClaim, dispatch, beats] = await Promise.all([
        ledger.claim(claims[0]!),
        ledger.claim(dispatches[0]!),
        ledger.dispatch(dispatches[1]!),
        ledger.heartbeat([claims[1]!, dispatches[2]!]),
      ]);
      expectState(claim, 'won');
      expectState(repeatedClaim, 'won');
      expectState(dispatch, 'dispatched');
      assert.deepEqual(beats, ['kept', 'kept']);
      await context.advance(3.5 * unitMs);
      for (const attempt of claims) await expectRecord(context, attempt, 'claimed');
      for (const attempt of dispatches) await expectRecord(context, attempt, 'dispatched');
    },
  },
  {
    title: 'a dispatch and an outcome have their own time, not that of the claim',
    async run(context) {
      const { ledger, unitMs } = context;
      const attempt = await claimed(context);
      const { atMs: claimedAtMs } = await expectRecord(context, attempt, 'claimed');
      await context.advance(unitMs);
      expectState(await ledger.dispatch(attempt), 'dispatched');
      const { atMs: dispatchedAtMs } = await expectRecord(context, attempt, 'dispatched');
      await context.advance(unitMs);
      expectState(await ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
      const { atMs: sentAtMs } = await expectRecord(context, attempt, 'sent');
      // A clock of whole milliseconds may lag behind the wait by one.
      assert.ok(
        dispatchedAtMs - claimedAtMs >= unitMs - 1,
        'the dispatch has the time of the claim',
      );
      assert.ok(
        sentAtMs - dispatchedAtMs >= unitMs - 1,
        'the outcome has the time of the dispatch',
      );
    },
  },
];

/** Every row of the transition table in `packages/core/src/ledger.ts`. */
export const everyTransition: Topic = { name: 'transitions', cases: [...rows, ...overTime] };

/** The row of the table, found without a ledger. */
function rowOf({ from, isOwn, fingerprint, ask }: Combination): Transition {
  const attempt = { key: 'key', token: 'own', leaseMs: 1, retentionMs: 1 };
  const operation = ask({ ...attempt, fingerprint });
  const state = from === 'absent' ? undefined : from;
  const token = state === 'cancelled' ? '' : isOwn ? 'own' : 'other';
  const record = state && { state, token, fingerprint: THEIRS };
  return transitionFor(stepOf(operation), meet(record, callerOf(operation))).row;
}

function textsOf(name: string): Pick<Attempt, 'job' | 'digest' | 'by' | 'fingerprint'> {
  const job = { queue: 'notices', id: `${name}:7` };
  return { job, digest: name.slice(0, 3), by: `host of ${name}`, fingerprint: THEIRS };
}

/** The attempt whose record is in this state, with every text that the state can have. */
async function holderOf(context: Context, state: State): Promise<Attempt> {
  const { other } = context;
  const messageId = '<1@shop.example>';
  switch (state) {
    case 'absent':
      return context.attempt(textsOf('holder'));
    case 'claimed':
      return claimed(context, textsOf('holder'));
    default:
  }
  if (state === 'cancelled') {
    const attempt = await claimed(context, textsOf('holder'));
    const { key, retentionMs } = attempt;
    expectState(await other.cancel({ key, retentionMs, by: 'customer' }), 'cancelled');
    return attempt;
  }
  const attempt = await dispatched(context, textsOf('holder'));
  switch (state) {
    case 'dispatched':
      return attempt;
    case 'in-doubt': {
      const doubt = { ...attempt, outcome: state, note: 'ETIMEDOUT', messageId } as const;
      expectState(await other.settle({ ...doubt, lateNotSent: true }), 'settled');
      return attempt;
    }
    case 'sent':
      expectState(
        await other.settle({ ...attempt, outcome: state, result: '1', messageId }),
        'settled',
      );
      return attempt;
    case 'rejected':
      expectState(
        await other.settle({ ...attempt, outcome: state, note: '550', messageId }),
        'settled',
      );
      return attempt;
    case 'skipped':
      expectState(
        await other.settle({ ...attempt, outcome: state, note: 'no-consent' }),
        'settled',
      );
      return attempt;
  }
}

/** Executes one verb, and compares its reply and the record with the table. */
async function check(context: Context, holder: Attempt, combination: Combination): Promise<void> {
  const { ledger, other } = context;
  const { from, isOwn, fingerprint, ask } = combination;
  const caller = isOwn
    ? { ...holder, fingerprint }
    : { ...rivalOf(context, holder), ...textsOf('rival'), fingerprint };
  const operation = ask(caller);
  const before = await other.read(holder.key);
  assert.equal(before?.state ?? 'absent', from);
  const { row, reply } = transitionFor(stepOf(operation), meet(before, callerOf(operation)));
  const about = `${stepOf(operation)} from ${from} by ${isOwn ? 'its holder' : 'another attempt'}`;

  const answer = await execute(ledger, operation);
  assert.equal(answer.state, reply, `${about} answered "${answer.state}"`);
  if (answer.record) assert.deepEqual(answer.record, before, `the record in the reply: ${about}`);
  const after = await other.read(holder.key);
  const expected = recordAfter(row, before && factsOf(before), operation);
  assert.deepEqual(after && factsOf(after), expected, `the record afterwards: ${about}`);
  assertTime({ row, operation, about, before, after });
  // Open records never expire, and every list of the other cases would read them.
  const isOpen = after?.state === 'dispatched' || after?.state === 'in-doubt';
  if (isOpen) await removeByVerbs(other, after);
}

interface Written {
  readonly row: Transition;
  readonly operation: Operation;
  readonly about: string;
  readonly before: LedgerRecord | undefined;
  readonly after: LedgerRecord | undefined;
}

function assertTime({ row, operation, about, before, after }: Written): void {
  if (!before || !after) return;
  const { atMs } = after;
  const isSameDispatch = before.state === 'dispatched' || before.state === 'in-doubt';
  const isStillOpen = row.to === 'in-doubt' && isSameDispatch;
  if (row.to === '=' || operation.verb === 'heartbeat' || isStillOpen) {
    assert.equal(atMs, before.atMs, `"atMs" changed: ${about}`);
  } else {
    assert.ok(atMs >= before.atMs, `"atMs" went back from ${before.atMs} to ${atMs}: ${about}`);
  }
}

function factsOf({ atMs: _atMs, ...facts }: LedgerRecord): Facts {
  return facts;
}
