import assert from 'node:assert/strict';
import {
  cancelled,
  claimed,
  dispatched,
  expectRecord,
  expectState,
  inDoubt,
  rejected,
  sent,
} from '../steps.ts';
import type { Topic } from '../topic.ts';

const starts = [
  [claimed, 'claimed', 'busy'],
  [dispatched, 'dispatched', 'busy'],
  [inDoubt, 'in-doubt', 'in-doubt'],
  [sent, 'sent', 'duplicate'],
  [rejected, 'rejected', 'rejected'],
] as const;

export const conflict: Topic = {
  name: 'conflict',
  cases: [
    {
      title: 'another fingerprint under the same key is a conflict, in every state',
      async run(context) {
        for (const [start, state] of starts) {
          const attempt = await start(context, { fingerprint: 'to=abc&total=def' });
          const { key } = attempt;
          const rival = context.attempt({ key, fingerprint: 'to=abc&total=xyz' });
          const { record, fields } = expectState(await context.other.claim(rival), 'conflict');
          assert.deepEqual(fields, ['total']);
          assert.equal(record.fingerprint, 'to=abc&total=def');
          assert.equal(record.state, state);
          expectState(await context.other.claim({ ...rival, dispatched: true }), 'conflict');
          await expectRecord(context, attempt, state);
        }
      },
    },
    {
      title: 'the same fingerprint is no conflict',
      async run(context) {
        for (const [start, , loss] of starts) {
          const { key } = await start(context, { fingerprint: 'to=abc' });
          const rival = context.attempt({ key, fingerprint: 'to=abc' });
          expectState(await context.other.claim(rival), loss);
        }
      },
    },
    {
      title: 'a fingerprint that is missing on one side is no conflict',
      async run(context) {
        for (const [start, , loss] of starts) {
          const marked = await start(context, { fingerprint: 'to=abc' });
          expectState(await context.other.claim(context.attempt({ key: marked.key })), loss);
          const { key } = await start(context);
          expectState(await context.other.claim(context.attempt({ key, fingerprint: 'x' })), loss);
        }
      },
    },
    {
      title: 'a cancellation comes first',
      async run(context) {
        const { key } = await cancelled(context, { fingerprint: 'to=abc' });
        const rival = context.attempt({ key, fingerprint: 'to=xyz' });
        expectState(await context.other.claim(rival), 'cancelled');
      },
    },
    {
      title: 'the own token comes before the fingerprint',
      async run(context) {
        const attempt = await claimed(context, { fingerprint: 'to=abc' });
        expectState(await context.other.claim({ ...attempt, fingerprint: 'to=xyz' }), 'won');
      },
    },
    {
      title: 'the fingerprint is kept through dispatch, outcome and verdict',
      async run(context) {
        const attempt = await inDoubt(context, { fingerprint: 'to=abc' });
        const { key, token, retentionMs } = attempt;
        const verdict = { key, token, retentionMs, verdict: 'sent', by: 'a person' } as const;
        expectState(await context.other.resolve(verdict), 'resolved');
        assert.equal((await expectRecord(context, attempt, 'sent')).fingerprint, 'to=abc');
      },
    },
  ],
};
