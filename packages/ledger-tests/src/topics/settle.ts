import assert from 'node:assert/strict';
import type { Attempt } from '@sendonce/core';
import {
  cancelled,
  claimed,
  dispatched,
  expectAbsent,
  expectRecord,
  expectState,
  inDoubt,
  listedKeys,
  rejected,
  rivalOf,
  sent,
} from '../steps.ts';
import type { Context, Topic, TopicCase } from '../topic.ts';

const facts: readonly TopicCase[] = [
  {
    title: 'an outcome is written over the own claim, dispatched or not',
    async run(context) {
      for (const start of [claimed, dispatched]) {
        for (const outcome of ['sent', 'rejected'] as const) {
          const attempt = await start(context);
          expectState(await context.ledger.settle({ ...attempt, outcome }), 'settled');
          await expectRecord(context, attempt, outcome);
          const loss = outcome === 'sent' ? 'duplicate' : 'rejected';
          expectState(await context.other.claim(rivalOf(context, attempt)), loss);
        }
      }
    },
  },
  {
    title: 'an outcome is written over an absent record',
    async run(context) {
      for (const outcome of ['sent', 'rejected'] as const) {
        const attempt = context.attempt();
        expectState(await context.ledger.settle({ ...attempt, outcome }), 'settled');
        await expectRecord(context, attempt, outcome);
      }
    },
  },
  {
    title: "a late outcome is written over another attempt's claim, whose dispatch then fails",
    async run(context) {
      for (const outcome of ['sent', 'rejected'] as const) {
        const { late, next } = await overtaken(context);
        expectState(await context.ledger.settle({ ...late, outcome }), 'settled');
        const loss = outcome === 'sent' ? 'duplicate' : 'rejected';
        expectState(await context.other.dispatch(next), loss);
        assert.deepEqual(await context.other.heartbeat([next]), ['lost']);
        expectState(await context.other.release(next), 'lost');
        await expectRecord(context, late, outcome);
      }
    },
  },
  {
    title: "a late outcome is lost over another attempt's dispatch",
    async run(context) {
      for (const outcome of ['sent', 'rejected'] as const) {
        const { late, next } = await overtaken(context);
        expectState(await context.other.dispatch(next), 'dispatched');
        const { record } = expectState(await context.ledger.settle({ ...late, outcome }), 'lost');
        assert.equal(record.token, next.token);
        assert.equal(record.state, 'dispatched');
        await expectRecord(context, next, 'dispatched');
        expectState(await context.other.settle({ ...next, outcome: 'sent' }), 'settled');
      }
    },
  },
  {
    title: "a late outcome is lost over another attempt's outcome and doubt",
    async run(context) {
      for (const [start, state] of [
        [sent, 'sent'],
        [rejected, 'rejected'],
        [inDoubt, 'in-doubt'],
      ] as const) {
        const next = await start(context);
        const late = rivalOf(context, next);
        const { record } = expectState(
          await context.ledger.settle({ ...late, outcome: 'sent', result: '"second"' }),
          'lost',
        );
        assert.equal(record.token, next.token);
        assert.equal(record.state, state);
        const kept = await expectRecord(context, next, state);
        assert.equal(kept.result, state === 'sent' ? '"first"' : undefined);
      }
    },
  },
  {
    title: 'of all outcomes only "sent" is written over a cancellation',
    async run(context) {
      const attempt = await cancelled(context);
      const withoutToken = { key: attempt.key, token: '' };
      for (const outcome of ['rejected', 'in-doubt'] as const) {
        for (const sender of [attempt, rivalOf(context, attempt)]) {
          const { record } = expectState(
            await context.ledger.settle({ ...sender, outcome }),
            'lost',
          );
          assert.deepEqual(await expectRecord(context, withoutToken, 'cancelled'), record);
        }
      }
      assert.deepEqual(await listedKeys(context, 'open', [attempt]), []);
      expectState(await context.ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
      await expectRecord(context, attempt, 'sent');
    },
  },
  {
    title: 'a sender that wakes up turns its doubt into fact',
    async run(context) {
      const { unitMs } = context;
      const silent = await dispatched(context, { leaseMs: unitMs });
      await context.fallSilent(unitMs * 2.5);
      await expectRecord(context, silent, 'in-doubt');
      const said = await inDoubt(context);
      for (const attempt of [silent, said]) {
        expectState(await context.ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
        await expectRecord(context, attempt, 'sent');
      }
      assert.deepEqual(await listedKeys(context, 'open', [silent, said]), []);
    },
  },
  {
    title: "a sender that wakes up corrects a person's verdict",
    async run(context) {
      for (const outcome of ['sent', 'rejected'] as const) {
        for (const verdict of ['sent', 'not-sent'] as const) {
          const attempt = await inDoubt(context);
          const { key, token, retentionMs } = attempt;
          const resolution = { key, token, retentionMs, verdict, by: 'a person' };
          expectState(await context.other.resolve(resolution), 'resolved');
          expectState(await context.ledger.settle({ ...attempt, outcome }), 'settled');
          await expectRecord(context, attempt, outcome);
        }
      }
    },
  },
];

const doubts: readonly TopicCase[] = [
  {
    title: 'a doubt is written over an absent record',
    async run(context) {
      const attempt = context.attempt();
      expectState(await context.ledger.settle({ ...attempt, outcome: 'in-doubt' }), 'settled');
      await expectRecord(context, attempt, 'in-doubt');
      assert.deepEqual(await listedKeys(context, 'in-doubt', [attempt]), [attempt.key]);
    },
  },
  {
    title: "a doubt is written over another attempt's claim, whose dispatch then fails",
    async run(context) {
      const { late, next } = await overtaken(context);
      expectState(await context.ledger.settle({ ...late, outcome: 'in-doubt' }), 'settled');
      expectState(await context.other.dispatch(next), 'in-doubt');
      await expectRecord(context, late, 'in-doubt');
    },
  },
  {
    title: 'a doubt never replaces an outcome',
    async run(context) {
      for (const [start, state] of [
        [sent, 'sent'],
        [rejected, 'rejected'],
      ] as const) {
        const attempt = await start(context);
        for (const doubter of [attempt, rivalOf(context, attempt)]) {
          const doubt = { ...doubter, outcome: 'in-doubt', note: 'ETIMEDOUT' } as const;
          const { record } = expectState(await context.other.settle(doubt), 'lost');
          assert.equal(record.state, state);
          assert.notEqual((await expectRecord(context, attempt, state)).note, 'ETIMEDOUT');
        }
      }
    },
  },
  {
    title: "a doubt never replaces a person's verdict that it was sent",
    async run(context) {
      const attempt = await inDoubt(context);
      const { key, token, retentionMs } = attempt;
      const verdict = { key, token, retentionMs, verdict: 'sent', by: 'a person' } as const;
      expectState(await context.other.resolve(verdict), 'resolved');
      expectState(await context.ledger.settle({ ...attempt, outcome: 'in-doubt' }), 'lost');
      await expectRecord(context, attempt, 'sent');
    },
  },
];

export const settle: Topic = { name: 'settle', cases: [...facts, ...doubts] };

/** An attempt whose doubt a person resolved as not sent, and the attempt that claimed after it. */
async function overtaken(context: Context): Promise<{ late: Attempt; next: Attempt }> {
  const late = await inDoubt(context);
  const { key, token, retentionMs } = late;
  const verdict = { key, token, retentionMs, verdict: 'not-sent', by: 'a person' } as const;
  expectState(await context.other.resolve(verdict), 'resolved');
  await expectAbsent(context, key);
  return { late, next: await claimed(context, { key }) };
}
