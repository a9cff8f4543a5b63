import assert from 'node:assert/strict';
import {
  claimed,
  dispatched,
  expectRecord,
  expectState,
  inDoubt,
  rejected,
  rivalOf,
  sent,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

export const cancel: Topic = {
  name: 'cancel',
  cases: [
    {
      title: 'an email that was not claimed is cancelled, for every attempt',
      async run(context) {
        const { key, retentionMs } = context.attempt();
        expectState(await context.other.cancel({ key, retentionMs, by: 'customer' }), 'cancelled');
        const record = await expectRecord(context, { key, token: '' }, 'cancelled');
        assert.equal(record.by, 'customer');
        for (const isDispatched of [false, true]) {
          const request = { ...context.attempt({ key }), dispatched: isDispatched };
          const reply = expectState(await context.ledger.claim(request), 'cancelled');
          assert.deepEqual(reply.record, record);
        }
      },
    },
    {
      title: 'an email that was claimed is cancelled, and its dispatch then fails',
      async run(context) {
        const attempt = await claimed(context);
        const { key, retentionMs } = attempt;
        expectState(await context.other.cancel({ key, retentionMs }), 'cancelled');
        expectState(await context.ledger.dispatch(attempt), 'cancelled');
        expectState(await context.ledger.claim(attempt), 'cancelled');
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['lost']);
        await expectRecord(context, { key, token: '' }, 'cancelled');
      },
    },
    {
      title: 'a cancellation after the dispatch is too late, and changes nothing',
      async run(context) {
        for (const [start, state] of [
          [dispatched, 'dispatched'],
          [inDoubt, 'in-doubt'],
          [sent, 'sent'],
          [rejected, 'rejected'],
        ] as const) {
          const attempt = await start(context);
          const { key, retentionMs } = attempt;
          const reply = await context.other.cancel({ key, retentionMs });
          assert.equal(expectState(reply, 'too-late').record.state, state);
          await expectRecord(context, attempt, state);
        }
        const atOnce = context.attempt();
        expectState(await context.ledger.claim({ ...atOnce, dispatched: true }), 'won');
        expectState(await context.other.cancel(atOnce), 'too-late');
      },
    },
    {
      title: 'a cancellation wins or loses against a dispatch, never something in between',
      async run(context) {
        for (let round = 0; round < 16; round++) {
          const attempt = await claimed(context);
          const { key, retentionMs } = attempt;
          const inOrder = round % 2 === 0;
          const dispatchFirst = inOrder ? context.ledger.dispatch(attempt) : undefined;
          const cancelling = context.other.cancel({ key, retentionMs });
          const dispatching = dispatchFirst ?? context.ledger.dispatch(attempt);
          const [reply, dispatch] = await Promise.all([cancelling, dispatching]);
          if (dispatch.state === 'dispatched') expectState(reply, 'too-late');
          else expectState(reply, 'cancelled');
          const left = dispatch.state === 'dispatched';
          await expectRecord(
            context,
            left ? attempt : { key, token: '' },
            left ? 'dispatched' : 'cancelled',
          );
        }
      },
    },
    {
      title: 'an email whose claim was released is cancelled like one that was not claimed',
      async run(context) {
        const attempt = await claimed(context);
        expectState(await context.ledger.release(attempt), 'released');
        expectState(await context.other.cancel(attempt), 'cancelled');
        expectState(await context.ledger.claim(rivalOf(context, attempt)), 'cancelled');
      },
    },
  ],
};
