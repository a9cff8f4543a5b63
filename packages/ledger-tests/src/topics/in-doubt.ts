import assert from 'node:assert/strict';
import type { Attempt } from '@sendonce/core';
import {
  claimed,
  dispatched,
  expectRecord,
  expectState,
  inDoubt,
  listedKeys,
  rivalOf,
} from '../steps.ts';
import type { Context, Topic, TopicCase } from '../topic.ts';

const silence: readonly TopicCase[] = [
  {
    title: 'two leases of silence after the dispatch are a doubt, which no attempt can claim',
    async run(context) {
      for (const attempt of await fallenSilent(context, 2.5)) {
        await expectRecord(context, attempt, 'in-doubt');
        const rival = rivalOf(context, attempt);
        const { record } = expectState(await context.other.claim(rival), 'in-doubt');
        assert.equal(record.token, attempt.token);
        expectState(await context.other.claim({ ...rival, dispatched: true }), 'in-doubt');
        expectState(await context.other.dispatch(rival), 'in-doubt');
        await expectRecord(context, attempt, 'in-doubt');
      }
    },
  },
  {
    title: 'one lease of silence is not a doubt yet',
    async run(context) {
      for (const attempt of await fallenSilent(context, 1)) {
        const reply = await context.other.claim(rivalOf(context, attempt));
        const { record, retryAfterMs } = expectState(reply, 'busy');
        assert.equal(record.state, 'dispatched');
        assert.ok(retryAfterMs > 0 && retryAfterMs <= 2 * context.unitMs, String(retryAfterMs));
        assert.deepEqual(await listedKeys(context, 'in-doubt', [attempt]), []);
      }
    },
  },
  {
    title: 'heartbeats prevent the doubt',
    async run(context) {
      const attempt = await dispatched(context, { leaseMs: context.unitMs });
      for (let beat = 0; beat < 4; beat++) {
        await context.advance(context.unitMs);
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['kept']);
        await expectRecord(context, attempt, 'dispatched');
      }
      expectState(await context.other.claim(rivalOf(context, attempt)), 'busy');
    },
  },
  {
    title: 'a heartbeat of a sender that wakes up ends the silence',
    async run(context) {
      for (const attempt of await fallenSilent(context, 2.5)) {
        const longer = { ...attempt, leaseMs: 60_000 };
        assert.deepEqual(await context.ledger.heartbeat([longer]), ['kept']);
        await expectRecord(context, attempt, 'dispatched');
      }
    },
  },
  {
    title: 'a sender that wakes up gets its own doubt as an answer, until it sends a heartbeat',
    async run(context) {
      for (const attempt of [...(await fallenSilent(context, 2.5)), await inDoubt(context)]) {
        const longer = { ...attempt, leaseMs: 60_000 };
        const record = await expectRecord(context, attempt, 'in-doubt');
        for (const dispatched of [false, true]) {
          const reply = await context.ledger.claim({ ...longer, dispatched });
          assert.deepEqual(expectState(reply, 'in-doubt').record, record);
        }
        expectState(await context.ledger.dispatch(longer), 'in-doubt');
        assert.deepEqual(await expectRecord(context, attempt, 'in-doubt'), record);
        assert.deepEqual(await context.ledger.heartbeat([longer]), ['kept']);
        expectState(await context.ledger.dispatch(longer), 'dispatched');
        const { key, token, retentionMs } = attempt;
        const verdict = { key, token, retentionMs, verdict: 'not-sent', by: 'a person' } as const;
        expectState(await context.other.resolve(verdict), 'not-in-doubt');
      }
    },
  },
];

const doubt: readonly TopicCase[] = [
  {
    title:
      'a sender that does not know the outcome puts its email in doubt at once, with note and Message-ID',
    async run(context) {
      for (const start of [claimed, dispatched]) {
        const job = { queue: 'notices', id: '7' };
        const attempt = await start(context, { job, by: 'host 7' });
        const messageId = '<7@shop.example>';
        const settlement = {
          ...attempt,
          outcome: 'in-doubt',
          note: 'ETIMEDOUT',
          messageId,
        } as const;
        expectState(await context.ledger.settle(settlement), 'settled');
        const record = await expectRecord(context, attempt, 'in-doubt');
        assert.equal(record.note, 'ETIMEDOUT');
        assert.equal(record.messageId, messageId);
        assert.equal(record.by, 'host 7');
        assert.deepEqual(record.job, job);
        const reply = await context.other.claim(rivalOf(context, attempt));
        assert.deepEqual(expectState(reply, 'in-doubt').record, record);
      }
    },
  },
  {
    title: 'a late "not sent" is kept with the doubt, and is gone when the doubt is over',
    async run(context) {
      for (const end of ['resolve', 'settle'] as const) {
        const attempt = await dispatched(context);
        const doubt = { ...attempt, outcome: 'in-doubt', lateNotSent: true } as const;
        expectState(await context.ledger.settle(doubt), 'settled');
        const record = await expectRecord(context, attempt, 'in-doubt');
        assert.equal(record.lateNotSent, true);
        const reply = await context.other.claim(rivalOf(context, attempt));
        assert.equal(expectState(reply, 'in-doubt').record.lateNotSent, true);
        const { key, token, retentionMs } = attempt;
        const verdict = { key, token, retentionMs, verdict: 'sent', by: 'a person' } as const;
        if (end === 'resolve') expectState(await context.other.resolve(verdict), 'resolved');
        else expectState(await context.other.settle({ ...attempt, outcome: 'sent' }), 'settled');
        const sent = await expectRecord(context, attempt, 'sent');
        assert.equal('lateNotSent' in sent && sent.lateNotSent, false);
      }
      const plain = await expectRecord(context, await inDoubt(context), 'in-doubt');
      assert.equal('lateNotSent' in plain && plain.lateNotSent, false);
    },
  },
  {
    title: 'a doubt keeps the time of its dispatch, whether its sender says it or falls silent',
    async run(context) {
      const { unitMs } = context;
      const said = await dispatched(context, { leaseMs: unitMs });
      const { atMs } = await expectRecord(context, said, 'dispatched');
      await context.advance(unitMs);
      expectState(await context.ledger.settle({ ...said, outcome: 'in-doubt' }), 'settled');
      assert.equal((await expectRecord(context, said, 'in-doubt')).atMs, atMs);
      for (const attempt of [said, ...(await fallenSilent(context, 2.5))]) {
        const reply = await context.other.claim(rivalOf(context, attempt));
        const { dispatchedAgoMs } = expectState(reply, 'in-doubt');
        // Silence needs no time where the store sees that the sender is gone.
        const least = attempt === said ? unitMs : 0;
        assert.ok(dispatchedAgoMs >= least && dispatchedAgoMs < 60_000, String(dispatchedAgoMs));
      }
    },
  },
  {
    title: 'another process may continue with the token, and end the doubt by an outcome',
    async run(context) {
      const doubts = [await inDoubt(context), ...(await fallenSilent(context, 2.5))];
      for (const attempt of doubts) {
        const { atMs } = await expectRecord(context, attempt, 'in-doubt');
        const longer = { ...attempt, leaseMs: 60_000 };
        assert.deepEqual(await context.other.heartbeat([longer]), ['kept']);
        assert.equal((await expectRecord(context, attempt, 'dispatched')).atMs, atMs);
        expectState(await context.ledger.claim(rivalOf(context, attempt)), 'busy');
        expectState(await context.other.settle({ ...longer, outcome: 'in-doubt' }), 'settled');
        assert.equal((await expectRecord(context, attempt, 'in-doubt')).atMs, atMs);
        assert.deepEqual(await context.other.heartbeat([longer]), ['kept']);
        expectState(await context.other.settle({ ...longer, outcome: 'sent' }), 'settled');
        await expectRecord(context, attempt, 'sent');
      }
    },
  },
  {
    title: 'a doubt never expires, not even past the retention',
    async run(context) {
      const retentionMs = context.unitMs;
      const said = await inDoubt(context, { leaseMs: context.unitMs, retentionMs });
      const silent = await fallenSilent(context, 4, retentionMs);
      for (const attempt of [said, ...silent]) {
        await expectRecord(context, attempt, 'in-doubt');
        expectState(await context.other.claim(rivalOf(context, attempt)), 'in-doubt');
      }
    },
  },
  {
    title: 'a doubt is listed until it is settled',
    async run(context) {
      const attempts = [...(await fallenSilent(context, 2.5)), await inDoubt(context)];
      const keys = new Set(attempts.map(({ key }) => key));
      assert.deepEqual(new Set(await listedKeys(context, 'in-doubt', attempts)), keys);
      assert.deepEqual(new Set(await listedKeys(context, 'open', attempts)), keys);
      for (const attempt of attempts) {
        expectState(await context.ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
      }
      assert.deepEqual(await listedKeys(context, 'in-doubt', attempts), []);
    },
  },
];

export const doubts: Topic = { name: 'in doubt', cases: [...silence, ...doubt] };

/** Attempts that dispatched, in two steps and in one, and then said nothing for so many leases. */
async function fallenSilent(
  context: Context,
  leases: number,
  retentionMs = 600_000,
): Promise<Attempt[]> {
  const leaseMs = context.unitMs;
  const atOnce = context.attempt({ leaseMs, retentionMs });
  expectState(await context.ledger.claim({ ...atOnce, dispatched: true }), 'won');
  const inSteps = await dispatched(context, { leaseMs, retentionMs });
  await context.fallSilent(leaseMs * leases);
  return [atOnce, inSteps];
}
