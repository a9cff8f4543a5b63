import assert from 'node:assert/strict';
import { type Attempt, isSendonceError, type LedgerRecord } from '@sendonce/core';
import {
  cancelled,
  claimed,
  dispatched,
  expectState,
  inDoubt,
  listed,
  listedKeys,
  rejected,
  sent,
} from '../steps.ts';
import type { Context, Topic } from '../topic.ts';

export const list: Topic = {
  name: 'list',
  cases: [
    {
      title: 'what is dispatched is open, and only what is in doubt is in doubt',
      async run(context) {
        const doubtful = await inDoubt(context);
        const sending = await dispatched(context);
        const others = [];
        for (const start of [claimed, sent, rejected, cancelled]) others.push(await start(context));
        const all = [doubtful, sending, ...others];
        const open = await listedKeys(context, 'open', all);
        assert.deepEqual(open.toSorted(), [doubtful.key, sending.key].toSorted());
        assert.deepEqual(await listedKeys(context, 'in-doubt', all), [doubtful.key]);
      },
    },
    {
      title: 'a listed record is the whole record',
      async run(context) {
        const job = { queue: 'notices', id: '7' };
        const attempt = await inDoubt(context, { job, by: 'host 7', fingerprint: 'to=abc' });
        for (const state of ['open', 'in-doubt'] as const) {
          const record = await first(listed(context, state, [attempt]));
          assert.deepEqual(record, await context.ledger.read(attempt.key));
          assert.equal(record?.token, attempt.token);
          assert.deepEqual(record?.job, job);
          assert.equal(record?.by, 'host 7');
          assert.equal(record?.note, 'ETIMEDOUT');
        }
      },
    },
    {
      title: 'the doubt that is silent for longest comes first',
      async run(context) {
        const attempts = [];
        for (let count = 0; count < 8; count++) {
          attempts.push(await inDoubt(context));
          await context.advance(4);
        }
        const keys = attempts.map(({ key }) => key);
        assert.deepEqual(await listedKeys(context, 'open', attempts), keys);
        assert.deepEqual(await listedKeys(context, 'in-doubt', attempts), keys);
      },
    },
    {
      title: 'what is still being sent comes after the doubts, the latest heartbeat last',
      async run(context) {
        const beating = await dispatched(context);
        await context.advance(4);
        const quiet = await dispatched(context);
        await context.advance(4);
        assert.deepEqual(await context.ledger.heartbeat([beating]), ['kept']);
        await context.advance(4);
        const doubtful = await inDoubt(context);
        const keys = await listedKeys(context, 'open', [beating, quiet, doubtful]);
        assert.deepEqual(keys, [doubtful.key, quiet.key, beating.key]);
      },
    },
    {
      title: '500 records are listed, each once, the doubts first',
      async run(context) {
        const attempts = Array.from({ length: 500 }, () => context.attempt());
        await Promise.all(
          attempts.map(async (attempt) =>
            expectState(await context.ledger.claim({ ...attempt, dispatched: true }), 'won'),
          ),
        );
        await context.advance(4);
        const doubtful = attempts.slice(0, 250);
        await Promise.all(
          doubtful.map((attempt) => context.other.settle({ ...attempt, outcome: 'in-doubt' })),
        );
        const doubts = doubtful.map(({ key }) => key).toSorted();
        const keys = attempts.map(({ key }) => key).toSorted();
        const open = await listedKeys(context, 'open', attempts);
        assert.deepEqual(open.toSorted(), keys);
        assert.deepEqual(open.slice(0, 250).toSorted(), doubts);
        const inDoubtKeys = await listedKeys(context, 'in-doubt', attempts);
        assert.deepEqual(inDoubtKeys.toSorted(), doubts);
        await Promise.all(
          attempts.map((attempt) => context.ledger.settle({ ...attempt, outcome: 'sent' })),
        );
        assert.deepEqual(await listedKeys(context, 'open', attempts), []);
      },
    },
    {
      title: 'a list of another state is an error, and not an empty list',
      async run({ ledger }) {
        const query = { state: 'doubt' } as unknown as Parameters<typeof ledger.list>[0];
        await assert.rejects(
          async () => {
            for await (const _ of ledger.list(query));
          },
          (error) => isSendonceError(error, 'SENDONCE_OPTION'),
        );
      },
    },
    {
      title: 'what settles while the list is read does not disturb it',
      async run(context) {
        const attempts = Array.from({ length: 300 }, () => context.attempt());
        await Promise.all(
          attempts.map((attempt) => context.ledger.claim({ ...attempt, dispatched: true })),
        );
        const last = attempts.slice(200);
        let settled = false;
        const seen = new Set<string>();
        for await (const { key, state } of listed(context, 'open', attempts)) {
          assert.equal(state, 'dispatched');
          assert.ok(!seen.has(key), 'listed twice');
          seen.add(key);
          if (settled) continue;
          settled = true;
          await Promise.all(
            last.map((attempt) => context.ledger.settle({ ...attempt, outcome: 'sent' })),
          );
        }
        for (const { key } of attempts.slice(0, 200)) assert.ok(seen.has(key), 'not listed');
        await Promise.all(attempts.map((attempt) => context.ledger.release(attempt)));
      },
    },
    {
      title: 'what was listed settles while the list is read: none of the others is missing',
      async run(context) {
        const attempts = await dispatchedMany(context, 300);
        const seen = new Set<string>();
        const byKey = new Map(attempts.map((attempt) => [attempt.key, attempt]));
        for await (const { key } of listed(context, 'open', attempts)) {
          assert.ok(!seen.has(key), 'listed twice');
          seen.add(key);
          if (seen.size % 2 > 0) continue;
          await context.ledger.settle({ ...byKey.get(key)!, outcome: 'sent' });
        }
        assert.equal(seen.size, attempts.length);
        await Promise.all(attempts.map((attempt) => context.ledger.release(attempt)));
      },
    },
    {
      title: 'what gets a heartbeat while the list is read is listed once',
      async run(context) {
        const attempts = await dispatchedMany(context, 300);
        const seen = new Set<string>();
        for await (const { key } of listed(context, 'open', attempts)) {
          assert.ok(!seen.has(key), 'listed twice');
          seen.add(key);
          if (seen.size % 100 !== 1) continue;
          await context.advance(2);
          const half = attempts.filter((_, index) => index % 2 === 0);
          assert.ok((await context.ledger.heartbeat(half)).every((reply) => reply === 'kept'));
        }
        assert.equal(seen.size, attempts.length);
        await Promise.all(attempts.map((attempt) => context.ledger.release(attempt)));
      },
    },
    {
      title:
        'what becomes a doubt, or is settled as a doubt again, while the list is read is listed once',
      async run(context) {
        const attempts = await dispatchedMany(context, 300);
        const settle = (some: readonly Attempt[]) =>
          Promise.all(some.map((one) => context.ledger.settle({ ...one, outcome: 'in-doubt' })));
        await settle(attempts.slice(0, 150));
        await context.advance(4);
        for (const state of ['open', 'in-doubt'] as const) {
          const seen = new Set<string>();
          for await (const { key } of listed(context, state, attempts)) {
            assert.ok(!seen.has(key), 'listed twice');
            seen.add(key);
            if (seen.size !== 100) continue;
            await settle(attempts.filter((_, index) => index % 3 === 0));
            await context.advance(4);
          }
          const wanted = state === 'open' ? attempts : attempts.slice(0, 150);
          for (const { key } of wanted) assert.ok(seen.has(key), 'not listed');
        }
        await Promise.all(
          attempts.map((attempt) => context.ledger.settle({ ...attempt, outcome: 'sent' })),
        );
      },
    },
    {
      title: 'a list whose reader stops early does not disturb the next one',
      async run(context) {
        const attempts = await dispatchedMany(context, 300);
        const keys = attempts.map(({ key }) => key).toSorted();
        for (let round = 0; round < 3; round++) {
          assert.ok(await first(listed(context, 'open', attempts)));
        }
        assert.deepEqual((await listedKeys(context, 'open', attempts)).toSorted(), keys);
        await Promise.all(attempts.map((attempt) => context.ledger.release(attempt)));
      },
    },
  ],
};

async function dispatchedMany(context: Context, count: number): Promise<readonly Attempt[]> {
  const attempts = Array.from({ length: count }, () => context.attempt());
  // Fifty at once: the cases beside this one have short times.
  for (let start = 0; start < count; start += 50) {
    const some = attempts.slice(start, start + 50);
    await Promise.all(
      some.map((attempt) => context.ledger.claim({ ...attempt, dispatched: true })),
    );
  }
  return attempts;
}

async function first(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord | undefined> {
  for await (const record of records) return record;
  return undefined;
}
