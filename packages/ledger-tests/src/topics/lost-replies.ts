import assert from 'node:assert/strict';
import {
  type Attempt,
  type ClaimReply,
  type DispatchReply,
  isSendonceError,
  type Ledger,
} from '@sendonce/core';
import {
  cancelled,
  claimed,
  dispatched,
  expectAbsent,
  expectRecord,
  expectState,
  inDoubt,
  rivalOf,
  sent,
} from '../steps.ts';
import type { Context, Topic, TopicCase } from '../topic.ts';

const repeats: readonly TopicCase[] = [
  {
    title: 'a claim that finds its own token has won',
    async run(context) {
      const attempt = await claimed(context);
      expectState(await context.other.claim(attempt), 'won');
      await expectRecord(context, attempt, 'claimed');
      expectState(await context.ledger.dispatch(attempt), 'dispatched');
    },
  },
  {
    title: 'a claim with dispatch that finds its own token has won, and stays dispatched',
    async run(context) {
      const attempt = context.attempt();
      expectState(await context.ledger.claim({ ...attempt, dispatched: true }), 'won');
      expectState(await context.other.claim({ ...attempt, dispatched: true }), 'won');
      await expectRecord(context, attempt, 'dispatched');
    },
  },
  {
    title: 'a claim repeated after the dispatch wins and does not undo the dispatch',
    async run(context) {
      const attempt = await dispatched(context, { leaseMs: context.unitMs });
      expectState(await context.other.claim(attempt), 'won');
      await expectRecord(context, attempt, 'dispatched');
      await context.fallSilent(context.unitMs * 1.5);
      const reply = await context.ledger.claim(rivalOf(context, attempt));
      assert.notEqual(reply.state, 'won', 'the repeated claim gave the record a lease to run out');
    },
  },
  {
    title: 'a claim repeated after its own outcome is a duplicate',
    async run(context) {
      const attempt = await sent(context);
      expectState(await context.other.claim(attempt), 'duplicate');
      await expectRecord(context, attempt, 'sent');
    },
  },
  {
    title: 'a claim replayed after another attempt claimed changes nothing',
    async run(context) {
      const attempt = await claimed(context);
      expectState(await context.ledger.release(attempt), 'released');
      const rival = await claimed(context, { key: attempt.key });
      expectState(await context.other.claim(attempt), 'busy');
      expectState(await context.ledger.dispatch(rival), 'dispatched');
    },
  },
  {
    title: 'a dispatch that finds itself dispatched is dispatched',
    async run(context) {
      const attempt = await dispatched(context);
      expectState(await context.other.dispatch(attempt), 'dispatched');
      await expectRecord(context, attempt, 'dispatched');
    },
  },
  {
    title: 'a dispatch repeated keeps its time and its texts',
    async run(context) {
      const job = { queue: 'notices', id: '7' };
      const attempt = await dispatched(context, { job, by: 'host 7' });
      const { atMs } = await expectRecord(context, attempt, 'dispatched');
      const { unitMs } = context;
      const doubt = { ...attempt, outcome: 'in-doubt', note: '552', messageId: '<7@x>' } as const;
      for (const repeat of [
        () => context.other.claim({ ...attempt, dispatched: true }),
        () => context.other.dispatch(attempt),
        () => context.ledger.claim(attempt),
      ]) {
        await context.advance(unitMs / 4);
        await repeat();
        assert.equal((await expectRecord(context, attempt, 'dispatched')).atMs, atMs);
        expectState(await context.ledger.settle(doubt), 'settled');
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['kept']);
        await repeat();
        const { note, messageId, by, ...kept } = await expectRecord(context, attempt, 'dispatched');
        assert.equal(kept.atMs, atMs);
        assert.deepEqual([note, messageId, by], ['552', '<7@x>', 'host 7']);
        assert.deepEqual(kept.job, job);
      }
    },
  },
  {
    title: 'a dispatch replayed after the outcome does not open it again',
    async run(context) {
      const attempt = await sent(context);
      expectState(await context.other.dispatch(attempt), 'duplicate');
      await expectRecord(context, attempt, 'sent');
    },
  },
  {
    title: 'an outcome settled twice is settled, and keeps its result',
    async run(context) {
      const attempt = await dispatched(context);
      const settlement = { ...attempt, outcome: 'sent', result: '{"n":1}' } as const;
      expectState(await context.ledger.settle(settlement), 'settled');
      expectState(await context.other.settle(settlement), 'settled');
      const record = await expectRecord(context, attempt, 'sent');
      assert.equal(record.result, '{"n":1}');
    },
  },
  {
    title: 'a rejection and a doubt settled twice are settled',
    async run(context) {
      for (const outcome of ['rejected', 'in-doubt'] as const) {
        const settlement = { ...(await dispatched(context)), outcome, note: '552' };
        expectState(await context.ledger.settle(settlement), 'settled');
        expectState(await context.other.settle(settlement), 'settled');
        assert.equal((await expectRecord(context, settlement, outcome)).note, '552');
      }
    },
  },
  {
    title: 'a doubt replayed after another attempt dispatched is lost',
    async run(context) {
      const attempt = await inDoubt(context);
      const { key, token, retentionMs } = attempt;
      const verdict = { key, token, retentionMs, verdict: 'not-sent', by: 'a person' } as const;
      expectState(await context.ledger.resolve(verdict), 'resolved');
      const rival = await dispatched(context, { key });
      expectState(await context.other.settle({ ...attempt, outcome: 'in-doubt' }), 'lost');
      await expectRecord(context, rival, 'dispatched');
    },
  },
  {
    title: 'a release repeated has released',
    async run(context) {
      const attempt = await claimed(context);
      expectState(await context.ledger.release(attempt), 'released');
      expectState(await context.other.release(attempt), 'released');
      await expectAbsent(context, attempt.key);
    },
  },
  {
    title: 'a release replayed after another attempt claimed changes nothing',
    async run(context) {
      const attempt = await claimed(context);
      expectState(await context.ledger.release(attempt), 'released');
      const rival = await claimed(context, { key: attempt.key });
      expectState(await context.other.release(attempt), 'lost');
      await expectRecord(context, rival, 'claimed');
      expectState(await context.ledger.dispatch(rival), 'dispatched');
      expectState(await context.other.release(attempt), 'lost');
      await expectRecord(context, rival, 'dispatched');
    },
  },
  {
    title: 'a verdict repeated is resolved',
    async run(context) {
      for (const verdict of ['sent', 'not-sent'] as const) {
        const { key, token, retentionMs } = await inDoubt(context);
        const resolution = { key, token, retentionMs, verdict, by: 'a person' };
        expectState(await context.ledger.resolve(resolution), 'resolved');
        expectState(await context.other.resolve(resolution), 'resolved');
        if (verdict === 'sent') await expectRecord(context, { key, token }, 'sent');
        else await expectAbsent(context, key);
      }
    },
  },
  {
    title: 'a cancellation repeated is cancelled',
    async run(context) {
      const attempt = await cancelled(context);
      const { key, retentionMs } = attempt;
      expectState(await context.ledger.cancel({ key, retentionMs, by: 'customer' }), 'cancelled');
      await expectRecord(context, { key, token: '' }, 'cancelled');
    },
  },
  {
    title: 'a heartbeat repeated answers the same',
    async run(context) {
      const kept = await claimed(context);
      const beat = [kept, context.attempt(), await dispatched(context)];
      assert.deepEqual(await context.ledger.heartbeat(beat), ['kept', 'lost', 'kept']);
      assert.deepEqual(await context.other.heartbeat(beat), ['kept', 'lost', 'kept']);
    },
  },
];

const cutOff: readonly TopicCase[] = [
  {
    title: 'a claim whose reply was lost has won when it is repeated',
    needs: ['lostReply'],
    async run(context) {
      for (const isDispatched of [false, true]) {
        const request = { ...context.attempt(), dispatched: isDispatched };
        await unanswered(
          context,
          (ledger) => ledger.claim(request),
          (reply) => {
            granted(reply, 'won', request);
          },
        );
        if (isDispatched) await expectDispatched(context, request);
        else await expectRecord(context, request, 'claimed');
        const isHeld = granted(await context.ledger.claim(request), 'won', request);
        const reply = await context.ledger.claim(rivalOf(context, request));
        expectState(reply, isHeld ? 'busy' : 'in-doubt');
      }
    },
  },
  {
    title: 'a dispatch whose reply was lost is dispatched when it is repeated',
    needs: ['lostReply'],
    async run(context) {
      const attempt = await claimed(context);
      await unanswered(
        context,
        (ledger) => ledger.dispatch(attempt),
        (reply) => {
          granted(reply, 'dispatched', attempt);
        },
      );
      await expectDispatched(context, attempt);
      granted(await context.ledger.dispatch(attempt), 'dispatched', attempt);
    },
  },
  {
    title: 'an outcome whose reply was lost is settled when it is repeated',
    needs: ['lostReply'],
    async run(context) {
      const settlement = { ...(await dispatched(context)), outcome: 'sent', result: '1' } as const;
      await unanswered(context, (ledger) => ledger.settle(settlement), 'settled');
      await expectRecord(context, settlement, 'sent');
      expectState(await context.ledger.settle(settlement), 'settled');
    },
  },
  {
    title: 'a release whose reply was lost has released when it is repeated',
    needs: ['lostReply'],
    async run(context) {
      const attempt = await claimed(context);
      await unanswered(context, (ledger) => ledger.release(attempt), 'released');
      await expectAbsent(context, attempt.key);
      expectState(await context.ledger.release(attempt), 'released');
    },
  },
  {
    title: 'a verdict and a cancellation whose replies were lost hold when they are repeated',
    needs: ['lostReply'],
    async run(context) {
      const { key, token, retentionMs } = await inDoubt(context);
      const resolution = { key, token, retentionMs, verdict: 'sent', by: 'a person' } as const;
      await unanswered(context, (ledger) => ledger.resolve(resolution), 'resolved');
      expectState(await context.ledger.resolve(resolution), 'resolved');
      const cancellation = { key: context.key(), retentionMs };
      await unanswered(context, (ledger) => ledger.cancel(cancellation), 'cancelled');
      expectState(await context.ledger.cancel(cancellation), 'cancelled');
    },
  },
];

export const lostReplies: Topic = { name: 'lost replies', cases: [...repeats, ...cutOff] };

/** In doubt where the session that had dispatched died with the reply. */
async function expectDispatched({ other }: Context, { key, token }: Attempt): Promise<void> {
  const record = await other.read(key);
  assert.ok(record?.state === 'dispatched' || record?.state === 'in-doubt', record?.state);
  assert.equal(record.token, token);
}

/** Granted again; or in doubt, if the session that had dispatched died with the reply. */
function granted(
  reply: ClaimReply | DispatchReply,
  state: 'won' | 'dispatched',
  { token }: Attempt,
): boolean {
  if (reply.state !== 'in-doubt') return expectState(reply, state).state === state;
  assert.equal(reply.record.token, token);
  return false;
}

/** The verb was executed. Its caller got the correct answer, if necessary by a repeat, or none. */
async function unanswered<R extends { readonly state: string }>(
  { lostReply }: Context,
  verb: (ledger: Ledger) => Promise<R>,
  expected: R['state'] | ((reply: R) => void),
): Promise<void> {
  assert.ok(lostReply);
  try {
    const reply = await lostReply(verb);
    if (typeof expected === 'function') expected(reply);
    else expectState(reply, expected);
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
  }
}
