import assert from 'node:assert/strict';
import {
  cancelled,
  claimed,
  dispatched,
  expectAbsent,
  expectRecord,
  rejected,
  rivalOf,
  sent,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

export const heartbeat: Topic = {
  name: 'heartbeat',
  cases: [
    {
      title: '200 claims are renewed at once, and the answers come in their order',
      async run(context) {
        const attempts = await Promise.all(
          Array.from({ length: 200 }, async (_, index) => {
            if (index % 3 === 0) return context.attempt();
            return index % 3 === 1 ? claimed(context) : dispatched(context);
          }),
        );
        const expected = attempts.map((_, index) => (index % 3 === 0 ? 'lost' : 'kept'));
        assert.deepEqual(await context.other.heartbeat(attempts), expected);
      },
    },
    {
      title: 'no claims need no answers',
      async run({ ledger }) {
        assert.deepEqual(await ledger.heartbeat([]), []);
      },
    },
    {
      title: 'one lost claim does not cost the others their lease',
      async run(context) {
        const { unitMs } = context;
        const attempt = await claimed(context, { leaseMs: 2 * unitMs });
        for (let beat = 0; beat < 3; beat++) {
          await context.advance(unitMs);
          const lost = context.attempt();
          assert.deepEqual(await context.ledger.heartbeat([lost, attempt, lost]), [
            'lost',
            'kept',
            'lost',
          ]);
        }
        await expectRecord(context, attempt, 'claimed');
      },
    },
    {
      title: 'a claim that is gone is not resurrected',
      async run(context) {
        const attempt = context.attempt();
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['lost']);
        await expectAbsent(context, attempt.key);
      },
    },
    {
      title: "another attempt's record is neither renewed nor changed",
      async run(context) {
        const { unitMs } = context;
        const holder = await claimed(context, { leaseMs: unitMs });
        const rival = { ...rivalOf(context, holder), leaseMs: 60_000 };
        assert.deepEqual(await context.other.heartbeat([rival]), ['lost']);
        await context.fallSilent(unitMs * 1.5);
        await expectAbsent(context, holder.key);
      },
    },
    {
      title: 'an outcome and a cancellation are neither held open nor kept for longer',
      async run(context) {
        const { unitMs } = context;
        const short = { leaseMs: unitMs, retentionMs: unitMs };
        const attempts = [];
        for (const start of [sent, rejected, cancelled]) attempts.push(await start(context, short));
        const beat = attempts.map((attempt) => ({ ...attempt, leaseMs: 60_000 }));
        assert.deepEqual(await context.ledger.heartbeat(beat), ['lost', 'lost', 'lost']);
        await context.advance(unitMs * 1.5);
        for (const { key } of attempts) await expectAbsent(context, key);
      },
    },
    {
      title: 'a heartbeat does not dispatch a claim',
      async run(context) {
        const { unitMs } = context;
        const attempt = await claimed(context, { leaseMs: unitMs });
        assert.deepEqual(await context.ledger.heartbeat([attempt]), ['kept']);
        await expectRecord(context, attempt, 'claimed');
        await context.fallSilent(unitMs * 1.5);
        await expectAbsent(context, attempt.key);
      },
    },
  ],
};
