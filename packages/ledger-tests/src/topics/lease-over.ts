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
  rejected,
  sent,
} from '../steps.ts';
import type { Context, Topic } from '../topic.ts';

export const leaseOver: Topic = {
  name: 'lease over',
  cases: [
    {
      title: 'a claim vanishes with its lease, and the next attempt wins',
      async run(context) {
        const { key } = await paused(context);
        await expectAbsent(context, key);
        const next = await claimed(context, { key });
        await expectRecord(context, next, 'claimed');
      },
    },
    {
      title: 'after the lease one of 32 claims wins',
      async run(context) {
        const { key } = await paused(context);
        const replies = await Promise.all(
          Array.from({ length: 32 }, (_, index) =>
            (index % 2 ? context.ledger : context.other).claim(context.attempt({ key })),
          ),
        );
        assert.equal(replies.filter(({ state }) => state === 'won').length, 1);
      },
    },
    {
      title: 'a dispatch after the lease is expired, and writes nothing',
      async run(context) {
        const late = await paused(context);
        expectState(await context.ledger.dispatch(late), 'expired');
        expectState(await context.ledger.dispatch(late), 'expired');
        await expectAbsent(context, late.key);
      },
    },
    {
      title: 'a dispatch after the lease is busy where another attempt has claimed or dispatched',
      async run(context) {
        for (const start of [claimed, dispatched]) {
          const late = await paused(context);
          const next = await start(context, { key: late.key });
          const { record, retryAfterMs } = expectState(await context.ledger.dispatch(late), 'busy');
          assert.equal(record.token, next.token);
          assert.ok(retryAfterMs > 0 && retryAfterMs <= 2 * next.leaseMs);
          await expectRecord(context, next, start === claimed ? 'claimed' : 'dispatched');
        }
      },
    },
    {
      title: 'a dispatch after the lease loses where another attempt has an outcome',
      async run(context) {
        const late = await paused(context);
        const next = await sent(context, { key: late.key });
        const { record } = expectState(await context.ledger.dispatch(late), 'duplicate');
        assert.equal(record.token, next.token);
        assert.equal(record.result, '"first"');

        const second = await paused(context);
        await rejected(context, { key: second.key });
        const reply = expectState(await context.ledger.dispatch(second), 'rejected');
        assert.equal(reply.record.note, '550');
      },
    },
    {
      title: 'a dispatch after the lease loses where another attempt is in doubt or was cancelled',
      async run(context) {
        const late = await paused(context);
        const next = await inDoubt(context, { key: late.key });
        const { record } = expectState(await context.ledger.dispatch(late), 'in-doubt');
        assert.equal(record.token, next.token);

        const second = await paused(context);
        await cancelled(context, { key: second.key });
        expectState(await context.ledger.dispatch(second), 'cancelled');
      },
    },
    {
      title: 'a heartbeat after the lease is lost, and a release finds no record',
      async run(context) {
        const late = await paused(context);
        assert.deepEqual(await context.ledger.heartbeat([late]), ['lost']);
        expectState(await context.ledger.release(late), 'released');
        await expectAbsent(context, late.key);
      },
    },
    {
      title: 'heartbeats keep a claim beyond its lease',
      async run(context) {
        const { unitMs } = context;
        const attempt = await claimed(context, { leaseMs: 2 * unitMs });
        for (let beat = 0; beat < 4; beat++) {
          await context.advance(unitMs);
          assert.deepEqual(await context.ledger.heartbeat([attempt]), ['kept']);
        }
        await expectRecord(context, attempt, 'claimed');
        expectState(await context.ledger.dispatch(attempt), 'dispatched');
      },
    },
    {
      title: 'a dispatch does not vanish with the lease',
      async run(context) {
        const { unitMs, attempt } = context;
        const one = await dispatched(context, { leaseMs: unitMs });
        const other = attempt({ leaseMs: unitMs });
        expectState(await context.ledger.claim({ ...other, dispatched: true }), 'won');
        await context.fallSilent(unitMs * 1.5);
        for (const { key } of [one, other]) {
          const reply = await context.other.claim(attempt({ key }));
          assert.ok(reply.state === 'busy' || reply.state === 'in-doubt', reply.state);
        }
      },
    },
  ],
};

/** An attempt that claimed and then slept past its lease. */
async function paused(context: Context): Promise<Attempt> {
  const attempt = await claimed(context, { leaseMs: context.unitMs });
  await context.fallSilent(context.unitMs * 1.5);
  return attempt;
}
