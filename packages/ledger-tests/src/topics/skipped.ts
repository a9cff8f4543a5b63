import assert from 'node:assert/strict';
import {
  cancelled,
  claimed,
  expectAbsent,
  expectRecord,
  expectState,
  inDoubt,
  listedKeys,
  rejected,
  rivalOf,
  sent,
  skipped,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

export const skips: Topic = {
  name: 'skipped',
  cases: [
    {
      title: 'a skip is kept with its reason, and is no doubt',
      async run(context) {
        const attempt = await skipped(context);
        const { note } = await expectRecord(context, attempt, 'skipped');
        assert.equal(note, 'unsubscribed');
        assert.deepEqual(await listedKeys(context, 'open', [attempt]), []);
      },
    },
    {
      title: 'the next claim wins over it, in both modes and with another payload, and then sends',
      async run(context) {
        for (const isDispatched of [false, true]) {
          const { ledger, other } = context;
          const before = await skipped(context, { fingerprint: 'total=1' });
          const next = { ...rivalOf(context, before), fingerprint: 'total=2' };
          expectState(await other.claim({ ...next, dispatched: isDispatched }), 'won');
          const record = await expectRecord(context, next, isDispatched ? 'dispatched' : 'claimed');
          assert.equal(record.note, undefined);
          expectState(await ledger.claim(rivalOf(context, before)), 'busy');
          expectState(await other.dispatch(next), 'dispatched');
          expectState(await other.settle({ ...next, outcome: 'sent' }), 'settled');
          await expectRecord(context, next, 'sent');
        }
      },
    },
    {
      title: 'a claim over it is given back as any other, and its lease ends',
      async run(context) {
        const { ledger, other, unitMs } = context;
        const before = await skipped(context);
        const next = rivalOf(context, before);
        expectState(await other.claim(next), 'won');
        expectState(await other.release(next), 'released');
        await expectAbsent(context, before.key);
        const again = await skipped(context);
        const late = { ...rivalOf(context, again), leaseMs: unitMs };
        expectState(await ledger.claim(late), 'won');
        await context.fallSilent(1.5 * unitMs);
        await expectAbsent(context, again.key);
      },
    },
    {
      title: "it does not take another attempt's claim",
      async run(context) {
        const holder = await claimed(context);
        const late = rivalOf(context, holder);
        const settlement = { ...late, outcome: 'skipped', note: 'late' } as const;
        const { record } = expectState(await context.other.settle(settlement), 'lost');
        assert.equal(record.token, holder.token);
        expectState(await context.ledger.dispatch(holder), 'dispatched');
        await context.ledger.release(holder);
      },
    },
    {
      title: 'it ends the own doubt: its sender decided not to send',
      async run(context) {
        const attempt = await inDoubt(context);
        const settlement = { ...attempt, outcome: 'skipped', note: 'late' } as const;
        expectState(await context.ledger.settle(settlement), 'settled');
        await expectRecord(context, attempt, 'skipped');
        assert.deepEqual(await listedKeys(context, 'open', [attempt]), []);
      },
    },
    {
      title: 'it replaces no outcome under its own token: a replay, or a person, has recorded that',
      async run(context) {
        for (const [start, state] of [
          [sent, 'sent'],
          [rejected, 'rejected'],
        ] as const) {
          const attempt = await start(context);
          const settlement = { ...attempt, outcome: 'skipped', note: 'late' } as const;
          expectState(await context.ledger.settle(settlement), 'lost');
          await expectRecord(context, attempt, state);
        }
      },
    },
    {
      title: 'a cancellation is written over it, and stays when another skip comes',
      async run(context) {
        const attempt = await skipped(context);
        const { key, retentionMs } = attempt;
        expectState(await context.other.cancel({ key, retentionMs, by: 'support' }), 'cancelled');
        const settlement = { ...attempt, outcome: 'skipped', note: 'late' } as const;
        expectState(await context.ledger.settle(settlement), 'lost');
        await expectRecord(context, { key, token: '' }, 'cancelled');
      },
    },
    {
      title: 'nothing is sent under it: its own dispatch and heartbeat come too late',
      async run(context) {
        const attempt = await skipped(context);
        expectState(await context.ledger.dispatch(attempt), 'expired');
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['lost']);
        await expectRecord(context, attempt, 'skipped');
      },
    },
    {
      title: 'a "sent" without a dispatch leaves a cancellation as it is',
      async run(context) {
        const attempt = await cancelled(context);
        const settlement = { ...attempt, outcome: 'sent', undispatched: true } as const;
        for (const sender of [settlement, { ...settlement, ...rivalOf(context, attempt) }]) {
          const { record } = expectState(await context.ledger.settle(sender), 'lost');
          assert.equal(record.state, 'cancelled');
        }
        await expectRecord(context, { key: attempt.key, token: '' }, 'cancelled');
      },
    },
  ],
};
