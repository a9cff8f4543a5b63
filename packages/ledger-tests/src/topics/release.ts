import assert from 'node:assert/strict';
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

export const release: Topic = {
  name: 'release',
  cases: [
    {
      title: 'the own record is released, claimed or dispatched, and the next claim wins',
      async run(context) {
        for (const start of [claimed, dispatched]) {
          const attempt = await start(context);
          expectState(await context.ledger.release(attempt), 'released');
          await expectAbsent(context, attempt.key);
          expectState(await context.ledger.dispatch(attempt), 'expired');
          expectState(await context.other.claim(rivalOf(context, attempt)), 'won');
        }
      },
    },
    {
      title: 'the own record in doubt stays, and stays listed: others may have read it',
      async run(context) {
        const { unitMs } = context;
        const silent = await dispatched(context, { leaseMs: unitMs });
        await context.fallSilent(unitMs * 2.5);
        const attempts = [silent, await inDoubt(context)];
        for (const attempt of attempts) {
          const record = await expectRecord(context, attempt, 'in-doubt');
          expectState(await context.ledger.release(attempt), 'in-doubt');
          assert.deepEqual(await expectRecord(context, attempt, 'in-doubt'), record);
          expectState(await context.other.claim(rivalOf(context, attempt)), 'in-doubt');
        }
        const keys = attempts.map(({ key }) => key).toSorted();
        assert.deepEqual((await listedKeys(context, 'in-doubt', attempts)).toSorted(), keys);
      },
    },
    {
      title: "another attempt's record stays untouched",
      async run(context) {
        for (const [start, state] of [
          [claimed, 'claimed'],
          [dispatched, 'dispatched'],
          [inDoubt, 'in-doubt'],
          [sent, 'sent'],
        ] as const) {
          const attempt = await start(context);
          expectState(await context.other.release(rivalOf(context, attempt)), 'lost');
          await expectRecord(context, attempt, state);
        }
      },
    },
    {
      title: 'an outcome is not released, not even the own one',
      async run(context) {
        for (const [start, state] of [
          [sent, 'sent'],
          [rejected, 'rejected'],
        ] as const) {
          const attempt = await start(context);
          expectState(await context.ledger.release(attempt), 'lost');
          await expectRecord(context, attempt, state);
        }
      },
    },
    {
      title: 'a cancellation is not released by the attempt that it stopped',
      async run(context) {
        const attempt = await cancelled(context);
        expectState(await context.ledger.release(attempt), 'lost');
        await expectRecord(context, { key: attempt.key, token: '' }, 'cancelled');
        expectState(await context.ledger.claim(rivalOf(context, attempt)), 'cancelled');
      },
    },
    {
      title: 'a release of an absent record has released',
      async run(context) {
        const attempt = context.attempt();
        expectState(await context.ledger.release(attempt), 'released');
        await expectAbsent(context, attempt.key);
      },
    },
  ],
};
