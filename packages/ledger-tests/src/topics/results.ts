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
      title: 'a duplicate gets result, Message-ID, who and when',
      async run(context) {
        const attempt = await dispatched(context, { by: 'notices:7', fingerprint: 'to=abc' });
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
          by: 'notices:7',
          fingerprint: 'to=abc',
          messageId,
          result: '{"ok":true}',
        });
        assert.ok(Number.isSafeInteger(atMs) && atMs > 1_600_000_000_000, String(atMs));
        assert.ok(atMs >= dispatchedAtMs);
        assert.deepEqual(await context.ledger.read(key), record);
      },
    },
    {
      title: 'a duplicate of a rejected email gets note and Message-ID',
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
        const { record } = expectState(reply, 'duplicate');
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
      title: 'an empty result and no result are told apart',
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
      title: 'who, why and Message-ID come back with newlines, backslashes, NUL and emoji',
      async run(context) {
        for (const text of awkward) {
          const attempt = await claimed(context, { by: text, fingerprint: text });
          assert.equal((await expectRecord(context, attempt, 'claimed')).by, text);
          for (const outcome of ['in-doubt', 'rejected'] as const) {
            const settlement = { ...attempt, outcome, note: text, messageId: text };
            expectState(await context.ledger.settle(settlement), 'settled');
            const record = await expectRecord(context, attempt, outcome);
            const { by, note, messageId, fingerprint } = record;
            assert.deepEqual([by, note, messageId, fingerprint], [text, text, text, text]);
          }
          const { key, retentionMs } = context.attempt();
          expectState(await context.ledger.cancel({ key, retentionMs, by: text }), 'cancelled');
          assert.equal((await expectRecord(context, { key, token: '' }, 'cancelled')).by, text);
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
