import assert from 'node:assert/strict';
import { type Attempt, isSendonceError } from '@sendonce/core';
import { claimed, dispatched, expectRecord, inDoubt, listedKeys, rivalOf, sent } from '../steps.ts';
import type { Context, Topic } from '../topic.ts';

const needs = ['corrupt', 'stored'] as const;

export const unreadableRecords: Topic = {
  name: 'unreadable records',
  cases: [
    {
      title: 'no verb touches an unreadable record, and none takes it for a victory',
      needs,
      async run(context) {
        for (const bytes of ['', '?', 'garbage\u0000', '{"state":"sent"}']) {
          await assertUntouched(context, await sent(context), bytes);
        }
      },
    },
    {
      title: 'a record that was cut off or has an unknown state is unreadable',
      needs,
      async run(context) {
        for (const start of [claimed, dispatched, inDoubt]) {
          const cut = await start(context);
          const bytes = (await context.stored?.(cut.key)) ?? '';
          await assertUntouched(context, cut, bytes.slice(0, Math.min(5, bytes.length - 1)));
          await assertUntouched(context, await start(context), `?${bytes.slice(1)}`);
        }
      },
    },
    {
      title: 'an unreadable record costs no other claim its heartbeat',
      needs,
      async run(context) {
        const broken = await corrupted(context, '?');
        const healthy = await claimed(context);
        assert.deepEqual(await context.ledger.heartbeat([broken, healthy]), ['lost', 'kept']);
        await expectRecord(context, healthy, 'claimed');
      },
    },
    {
      title: 'the other records are still listed, and then the list throws',
      needs,
      async run(context) {
        const before = await inDoubt(context);
        const broken = await corrupted(context, '?');
        const after = await inDoubt(context);
        const attempts = [before, broken, after];
        for (const state of ['open', 'in-doubt'] as const) {
          const keys = await listedKeys(context, state, attempts);
          assert.ok(keys.includes(before.key) && keys.includes(after.key));
          assert.ok(!keys.includes(broken.key));
        }
        await assert.rejects(
          async () => {
            for await (const _ of context.ledger.list({ state: 'open' }));
          },
          (error) => isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD'),
        );
      },
    },
  ],
};

async function corrupted(context: Context, bytes: string): Promise<Attempt> {
  const attempt = await dispatched(context);
  await context.corrupt?.(attempt.key, bytes);
  return attempt;
}

async function assertUntouched(context: Context, owner: Attempt, bytes: string): Promise<void> {
  const { corrupt, stored } = context;
  assert.ok(corrupt && stored);
  await corrupt(owner.key, bytes);
  for (const attempt of [owner, rivalOf(context, owner)]) {
    for (const [verb, answer] of verbsOf(context, attempt)) {
      const state = await answer().catch((error: unknown) => {
        if (isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) return 'unreadable';
        throw error;
      });
      const harmless = ['unreadable', 'lost', 'not-in-doubt', 'too-late'];
      assert.ok(harmless.includes(state), `${verb} on unreadable bytes answered "${state}"`);
      assert.equal(await stored(owner.key), bytes, `${verb} changed the unreadable record`);
    }
  }
}

function verbsOf({ ledger }: Context, attempt: Attempt): [string, () => Promise<string>][] {
  const { key, token, retentionMs } = attempt;
  const resolution = { key, token, retentionMs, by: 'a person' };
  const stateOf = async (reply: Promise<{ readonly state: string }>) => (await reply).state;
  return [
    ['claim', () => stateOf(ledger.claim(attempt))],
    ['claim with dispatch', () => stateOf(ledger.claim({ ...attempt, dispatched: true }))],
    ['dispatch', () => stateOf(ledger.dispatch(attempt))],
    ['settle', () => stateOf(ledger.settle({ ...attempt, outcome: 'sent' }))],
    ['settle in doubt', () => stateOf(ledger.settle({ ...attempt, outcome: 'in-doubt' }))],
    ['release', () => stateOf(ledger.release(attempt))],
    ['heartbeat', async () => (await ledger.heartbeat([attempt]))[0] ?? 'nothing'],
    ['read', async () => (await ledger.read(key))?.state ?? 'absent'],
    ['resolve sent', () => stateOf(ledger.resolve({ ...resolution, verdict: 'sent' }))],
    ['resolve not sent', () => stateOf(ledger.resolve({ ...resolution, verdict: 'not-sent' }))],
    ['cancel', () => stateOf(ledger.cancel({ key, retentionMs }))],
  ];
}
