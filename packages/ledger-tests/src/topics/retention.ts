import assert from 'node:assert/strict';
import {
  cancelled,
  expectAbsent,
  expectRecord,
  expectState,
  inDoubt,
  rejected,
  rivalOf,
  sent,
  skipped,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

export const retention: Topic = {
  name: 'retention',
  cases: [
    {
      title: 'an outcome and a cancellation expire after the retention, and the next claim wins',
      async run(context) {
        const short = { leaseMs: context.unitMs, retentionMs: context.unitMs };
        const attempts = [];
        for (const start of [sent, rejected, skipped, cancelled])
          attempts.push(await start(context, short));
        await context.advance(context.unitMs * 1.5);
        for (const attempt of attempts) {
          await expectAbsent(context, attempt.key);
          expectState(await context.other.claim(rivalOf(context, attempt)), 'won');
        }
      },
    },
    {
      title: 'a verdict that it was sent expires after the retention that it names',
      async run(context) {
        const { key, token } = await inDoubt(context);
        const retentionMs = context.unitMs;
        const verdict = { key, token, retentionMs, verdict: 'sent', by: 'a person' } as const;
        expectState(await context.other.resolve(verdict), 'resolved');
        await context.advance(context.unitMs * 1.5);
        await expectAbsent(context, key);
      },
    },
    {
      title: 'an outcome and a cancellation outlive the lease',
      async run(context) {
        const leaseMs = context.unitMs;
        const one = await sent(context, { leaseMs });
        const other = await rejected(context, { leaseMs });
        const left = await skipped(context, { leaseMs });
        const stopped = await cancelled(context, { leaseMs });
        await context.advance(context.unitMs * 3);
        await expectRecord(context, one, 'sent');
        await expectRecord(context, other, 'rejected');
        await expectRecord(context, left, 'skipped');
        await expectRecord(context, { key: stopped.key, token: '' }, 'cancelled');
        expectState(await context.other.claim(rivalOf(context, one)), 'duplicate');
      },
    },
    {
      title: 'the retention begins with the outcome, not with the claim',
      async run(context) {
        const { unitMs } = context;
        const attempt = context.attempt({ retentionMs: 6 * unitMs });
        expectState(await context.ledger.claim({ ...attempt, dispatched: true }), 'won');
        await context.advance(4 * unitMs);
        expectState(await context.ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
        await context.advance(4 * unitMs);
        await expectRecord(context, attempt, 'sent');
        assert.equal((await context.other.claim(rivalOf(context, attempt))).state, 'duplicate');
      },
    },
  ],
};
