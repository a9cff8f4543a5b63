import assert from 'node:assert/strict';
import type { Attempt, Resolution } from '@sendonce/core';
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
import type { Topic } from '../topic.ts';

export const resolve: Topic = {
  name: 'resolve',
  cases: [
    {
      title:
        '"sent" ends the doubt: the record keeps its reason, names the resolver, and duplicates get it',
      async run(context) {
        const by = 'Ada: the customer has it';
        const attempt = await inDoubt(context, { by: 'host 7' });
        expectState(await context.other.resolve(verdict(attempt, 'sent', by)), 'resolved');
        const record = await expectRecord(context, attempt, 'sent');
        assert.equal(record.resolvedBy, by);
        assert.equal(record.by, 'host 7');
        assert.equal(record.note, 'ETIMEDOUT', 'the reason of the doubt');
        const reply = await context.ledger.claim(rivalOf(context, attempt));
        assert.deepEqual(expectState(reply, 'duplicate').record, record);
        assert.deepEqual(await listedKeys(context, 'open', [attempt]), []);
      },
    },
    {
      title: '"not-sent" ends the doubt: the next attempt wins, and the first can dispatch no more',
      async run(context) {
        const attempt = await inDoubt(context);
        expectState(await context.other.resolve(verdict(attempt, 'not-sent')), 'resolved');
        await expectAbsent(context, attempt.key);
        assert.deepEqual(await listedKeys(context, 'open', [attempt]), []);
        expectState(await context.ledger.dispatch(attempt), 'expired');
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['lost']);
        const next = await claimed(context, { key: attempt.key });
        expectState(await context.ledger.dispatch(next), 'dispatched');
      },
    },
    {
      title: 'a doubt by silence is resolved like one that its sender reported',
      async run(context) {
        const { unitMs } = context;
        const one = await dispatched(context, { leaseMs: unitMs });
        const other = await dispatched(context, { leaseMs: unitMs });
        await context.fallSilent(unitMs * 2.5);
        expectState(await context.other.resolve(verdict(one, 'sent')), 'resolved');
        await expectRecord(context, one, 'sent');
        expectState(await context.other.resolve(verdict(other, 'not-sent')), 'resolved');
        expectState(await context.ledger.dispatch(other), 'expired');
        expectState(await context.ledger.claim(rivalOf(context, other)), 'won');
      },
    },
    {
      title: 'a verdict about one attempt never decides another one',
      async run(context) {
        const attempt = await inDoubt(context);
        for (const word of ['sent', 'not-sent'] as const) {
          const wrong = verdict(rivalOf(context, attempt), word);
          const { record } = expectState(await context.other.resolve(wrong), 'not-in-doubt');
          assert.equal(record?.token, attempt.token);
          await expectRecord(context, attempt, 'in-doubt');
        }
      },
    },
    {
      title: 'a verdict repeated after the next attempt claimed changes nothing',
      async run(context) {
        const attempt = await inDoubt(context);
        expectState(await context.other.resolve(verdict(attempt, 'not-sent')), 'resolved');
        const next = await inDoubt(context, { key: attempt.key });
        expectState(await context.other.resolve(verdict(attempt, 'not-sent')), 'not-in-doubt');
        await expectRecord(context, next, 'in-doubt');
      },
    },
    {
      title: 'a record that is not in doubt is not resolved, and the answer contains it',
      async run(context) {
        for (const [start, state] of [
          [claimed, 'claimed'],
          [dispatched, 'dispatched'],
        ] as const) {
          const attempt = await start(context);
          for (const word of ['sent', 'not-sent'] as const) {
            const reply = await context.other.resolve(verdict(attempt, word));
            assert.equal(expectState(reply, 'not-in-doubt').record?.state, state);
          }
          await expectRecord(context, attempt, state);
        }
        const attempt = await sent(context);
        const reply = await context.other.resolve(verdict(attempt, 'not-sent'));
        assert.equal(expectState(reply, 'not-in-doubt').record?.state, 'sent');
        await expectRecord(context, attempt, 'sent');
      },
    },
    {
      title: 'a cancellation and an absent record are not resolved as sent',
      async run(context) {
        const stopped = await cancelled(context);
        const reply = await context.other.resolve(verdict(stopped, 'sent'));
        assert.equal(expectState(reply, 'not-in-doubt').record?.state, 'cancelled');
        const absent = await context.other.resolve(verdict(context.attempt(), 'sent'));
        assert.equal(expectState(absent, 'not-in-doubt').record, undefined);
      },
    },
    {
      title: 'a rejected email whose cause is fixed may be tried again, but is not declared sent',
      async run(context) {
        const attempt = await rejected(context);
        expectState(await context.other.resolve(verdict(attempt, 'sent')), 'not-in-doubt');
        const wrong = verdict(rivalOf(context, attempt), 'not-sent');
        expectState(await context.other.resolve(wrong), 'not-in-doubt');
        await expectRecord(context, attempt, 'rejected');
        expectState(await context.other.resolve(verdict(attempt, 'not-sent')), 'resolved');
        expectState(await context.ledger.claim(rivalOf(context, attempt)), 'won');
      },
    },
  ],
};

function verdict(
  { key, token, retentionMs }: Attempt,
  word: Resolution['verdict'],
  by = 'a person',
): Resolution {
  return { key, token, retentionMs, verdict: word, by };
}
