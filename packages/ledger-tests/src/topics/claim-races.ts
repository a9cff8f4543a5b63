import assert from 'node:assert/strict';
import type { Attempt, ClaimReply } from '@sendonce/core';
import { claimed, expectRecord, expectState } from '../steps.ts';
import type { Context, Topic } from '../topic.ts';

export const claimRaces: Topic = {
  name: 'claim races',
  cases: [
    {
      title:
        'one of 32 claims from two instances wins, and the others get the record of the winner',
      async run(context) {
        const { winner, losers } = await race(context, context.key(), false);
        for (const reply of losers) {
          const { record, retryAfterMs } = expectState(reply, 'busy');
          assert.equal(record.token, winner.token);
          assert.equal(record.state, 'claimed');
          assertWithin(retryAfterMs, winner.leaseMs);
        }
        await expectRecord(context, winner, 'claimed');
      },
    },
    {
      title: 'one of 32 claims that dispatch in the same step wins',
      async run(context) {
        const { winner, losers } = await race(context, context.key(), true);
        for (const reply of losers) {
          const { record, retryAfterMs } = expectState(reply, 'busy');
          assert.equal(record.token, winner.token);
          // A ledger of many nodes takes two steps, and a loser may come between them.
          assert.match(record.state, /^(claimed|dispatched)$/);
          assertWithin(retryAfterMs, 2 * winner.leaseMs);
        }
        await expectRecord(context, winner, 'dispatched');
      },
    },
    {
      title: 'after the winner releases its claim, one of the next 32 claims wins',
      async run(context) {
        const first = await claimed(context);
        expectState(await context.ledger.release(first), 'released');
        const { winner } = await race(context, first.key, false);
        await expectRecord(context, winner, 'claimed');
      },
    },
    {
      title: 'of 32 claims on an email that was sent none wins, and all are duplicates',
      async run(context) {
        const { winner } = await race(context, context.key(), true);
        await context.ledger.settle({ ...winner, outcome: 'sent', result: '7' });
        const replies = await claimAll(context, rivals(context, winner.key), true);
        for (const [, reply] of replies) {
          assert.equal(expectState(reply, 'duplicate').record.result, '7');
        }
      },
    },
    {
      title: 'claims of different emails do not hinder each other',
      async run(context) {
        const attempts = Array.from({ length: 32 }, () => context.attempt());
        for (const [, reply] of await claimAll(context, attempts, false)) expectState(reply, 'won');
      },
    },
  ],
};

async function race(context: Context, key: string, asDispatched: boolean) {
  const replies = await claimAll(context, rivals(context, key), asDispatched);
  const [won, ...more] = replies.filter(([, { state }]) => state === 'won');
  assert.ok(won, 'no attempt won');
  assert.equal(more.length, 0, `${more.length + 1} attempts won`);
  const losers = replies.filter((reply) => reply !== won).map(([, reply]) => reply);
  assert.equal(losers.length, 31);
  return { winner: won[0], losers };
}

function rivals({ attempt }: Context, key: string): Attempt[] {
  return Array.from({ length: 32 }, () => attempt({ key }));
}

async function claimAll({ ledger, other }: Context, attempts: readonly Attempt[], asked: boolean) {
  return Promise.all(
    attempts.map(async (attempt, index): Promise<readonly [Attempt, ClaimReply]> => {
      const instance = index % 2 === 0 ? ledger : other;
      const request = asked ? { ...attempt, dispatched: true } : attempt;
      return [attempt, await instance.claim(request)];
    }),
  );
}

function assertWithin(retryAfterMs: number, longestMs: number): void {
  assert.ok(
    retryAfterMs > 0 && retryAfterMs <= longestMs,
    `expected "retryAfterMs" above 0 and at most ${longestMs}, got ${retryAfterMs}`,
  );
}
