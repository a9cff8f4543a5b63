import assert from 'node:assert/strict';
import { claimed, dispatched, expectRecord, expectState, rivalOf } from '../steps.ts';
import type { Context, Topic } from '../topic.ts';

const awkward = [
  'line\nbreak\r\n',
  'back\\slash \\n "quoted"',
  'nul\u0000byte \u0001\u001f\u007f',
  'emoji 🦩 Ünïcödé 日本 \u2028',
  ' spaces\tand|pipes:commas,=&%00 ',
  '{"looks":"like JSON"}',
  '[1]',
  'null',
  '-1',
];

export const results: Topic = {
  name: 'replay of results',
  cases: [
    {
      title: 'a duplicate gets result, Message-ID, job, sender and time',
      async run(context) {
        const texts = { job: { queue: 'notices', id: '7' }, by: 'host 7', fingerprint: 'to=abc' };
        const attempt = await dispatched(context, texts);
        const { atMs: dispatchedAtMs } = await expectRecord(context, attempt, 'dispatched');
        const messageId = '<7@shop.example>';
        const settlement = {
          ...attempt,
          outcome: 'sent',
          result: '{"ok":true}',
          messageId,
        } as const;
        expectState(await context.ledger.settle(settlement), 'settled');
        const reply = await context.other.claim(rivalOf(context, attempt));
        const { record } = expectState(reply, 'duplicate');
        const { atMs, ...rest } = record;
        const { key, token } = attempt;
        assert.deepEqual(rest, {
          key,
          token,
          state: 'sent',
          ...texts,
          messageId,
          result: '{"ok":true}',
        });
        assert.ok(Number.isSafeInteger(atMs) && atMs > 1_600_000_000_000, String(atMs));
        assert.ok(atMs >= dispatchedAtMs);
        assert.deepEqual(await context.ledger.read(key), record);
      },
    },
    {
      title: 'the next attempt of a rejected email gets note and Message-ID',
      async run(context) {
        const attempt = await dispatched(context);
        const settlement = {
          ...attempt,
          outcome: 'rejected',
          note: '552',
          messageId: '<1@x>',
        } as const;
        expectState(await context.ledger.settle(settlement), 'settled');
        const reply = await context.other.claim(rivalOf(context, attempt));
        const { record } = expectState(reply, 'rejected');
        assert.equal(record.state, 'rejected');
        assert.equal(record.note, '552');
        assert.equal(record.messageId, '<1@x>');
        assert.equal(record.result, undefined);
      },
    },
    {
      title: 'a result of 16 KB, in characters of one, two, three and four bytes, comes back whole',
      async run(context) {
        for (const letter of ['x', 'é', '日', '🦩']) {
          const text = letter.repeat(Math.floor(16_382 / Buffer.byteLength(letter)));
          await roundTrip(context, JSON.stringify(text));
        }
      },
    },
    {
      title: 'a result with newlines, quotes and control characters comes back whole',
      async run(context) {
        for (const text of awkward) {
          await roundTrip(context, JSON.stringify(text));
          await roundTrip(context, text);
        }
      },
    },
    {
      title: 'an empty result differs from no result',
      async run(context) {
        for (const result of ['""', 'null']) await roundTrip(context, result);
        const attempt = await dispatched(context);
        expectState(await context.ledger.settle({ ...attempt, outcome: 'sent' }), 'settled');
        const record = await expectRecord(context, attempt, 'sent');
        assert.equal(record.result, undefined);
        assert.equal('result' in record && record.result !== undefined, false);
      },
    },
    {
      title:
        'job, sender, note, Message-ID and resolver come back with newlines, backslashes, NUL and emoji',
      async run(context) {
        for (const text of awkward) {
          const job = { queue: text, id: `${text}:${text}` };
          const attempt = await claimed(context, { job, by: text, fingerprint: text });
          const { job: claimedFor, by: claimedBy } = await expectRecord(
            context,
            attempt,
            'claimed',
          );
          assert.deepEqual([claimedFor, claimedBy], [job, text]);
          for (const outcome of ['in-doubt', 'rejected', 'sent'] as const) {
            const settlement = { ...attempt, outcome, note: text, messageId: text };
            expectState(await context.ledger.settle(settlement), 'settled');
            const record = await expectRecord(context, attempt, outcome);
            const { by, note, messageId, fingerprint } = record;
            assert.deepEqual([by, note, messageId, fingerprint], [text, text, text, text]);
            assert.deepEqual(record.job, job);
          }
          const doubt = {
            ...(await dispatched(context)),
            outcome: 'in-doubt',
            note: text,
          } as const;
          expectState(await context.ledger.settle(doubt), 'settled');
          const { token, key, retentionMs } = doubt;
          const resolution = { key, token, retentionMs, verdict: 'sent', by: text } as const;
          expectState(await context.ledger.resolve(resolution), 'resolved');
          const { resolvedBy, note } = await expectRecord(context, doubt, 'sent');
          assert.deepEqual([resolvedBy, note], [text, text]);
          const cancellation = { key: context.key(), retentionMs, by: text };
          expectState(await context.ledger.cancel(cancellation), 'cancelled');
          const withoutToken = { key: cancellation.key, token: '' };
          assert.equal((await expectRecord(context, withoutToken, 'cancelled')).by, text);
        }
      },
    },
  ],
};

async function roundTrip(context: Context, result: string): Promise<void> {
  const attempt = await dispatched(context);
  expectState(await context.ledger.settle({ ...attempt, outcome: 'sent', result }), 'settled');
  const reply = await context.other.claim(rivalOf(context, attempt));
  assert.equal(expectState(reply, 'duplicate').record.result, result);
}
