import {
  cancelled,
  claimed,
  dispatched,
  expectAbsent,
  expectRecord,
  expectState,
  inDoubt,
  rejected,
  rivalOf,
  sent,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

export const release: Topic = {
  name: 'release',
  cases: [
    {
      title:
        'the own record is given back, claimed, dispatched or in doubt, and the next claim wins',
      async run(context) {
        for (const start of [claimed, dispatched, inDoubt]) {
          const attempt = await start(context);
          expectState(await context.ledger.release(attempt), 'released');
          await expectAbsent(context, attempt.key);
          expectState(await context.ledger.dispatch(attempt), 'expired');
          expectState(await context.other.claim(rivalOf(context, attempt)), 'won');
        }
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
      title: 'an outcome is not given back, not even the own one',
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
      title: 'a cancellation is not given back by the attempt that it stopped',
      async run(context) {
        const attempt = await cancelled(context);
        expectState(await context.ledger.release(attempt), 'lost');
        await expectRecord(context, { key: attempt.key, token: '' }, 'cancelled');
        expectState(await context.ledger.claim(rivalOf(context, attempt)), 'cancelled');
      },
    },
    {
      title: 'a release where nothing stands has released',
      async run(context) {
        const attempt = context.attempt();
        expectState(await context.ledger.release(attempt), 'released');
        await expectAbsent(context, attempt.key);
      },
    },
  ],
};
