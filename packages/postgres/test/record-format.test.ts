import type { Attempt } from '@sendonce/core';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { attempt, errorOf, listed, openSchema } from './database.ts';
import { everyVerb } from './every-verb.ts';

const space = openSchema('format');
const ledger = space.ledger();
afterAll(() => space.close());
// An unreadable record in the list would be found by the next test.
afterEach(() => space.query('DELETE FROM :schema.records'));

/** How the attempt of a row may have ended before a newer release wrote over it. */
const starts: readonly (readonly [string, (own: Attempt) => Promise<unknown>])[] = [
  ['claimed', (own) => ledger.claim(own)],
  ['dispatched', (own) => ledger.claim({ ...own, dispatched: true })],
  ['in doubt', (own) => ledger.settle({ ...own, outcome: 'in-doubt' })],
  ['sent', (own) => ledger.settle({ ...own, outcome: 'sent' })],
  ['rejected', (own) => ledger.settle({ ...own, outcome: 'rejected' })],
  ['cancelled', (own) => ledger.cancel(own)],
];

async function storeInFormat(format: number, start: (own: Attempt) => Promise<unknown>) {
  const own = attempt();
  await start(own);
  await space.query('UPDATE :schema.records SET format = $2 WHERE key = $1', [own.key, format]);
  return own;
}

/**
 * The row as it is stored, and the transaction that wrote it: a row that is written over has
 * another.
 */
async function storedRow(key: string): Promise<unknown> {
  const text = 'SELECT xmin::text AS writer, r::text AS row FROM :schema.records r WHERE key = $1';
  return (await space.query(text, [key]))[0];
}

test('a record is stored in format 1', async () => {
  const own = attempt();
  await ledger.claim(own);
  expect(await space.query('SELECT format FROM :schema.records')).toEqual([{ format: 1 }]);
});

describe.each(starts)('a record of format 2 that is %s', (_state, start) => {
  test.each(everyVerb.filter(([verb]) => !verb.startsWith('list')))(
    '%s: unreadable, and the row stays as it is',
    async (verb, ask) => {
      const own = await storeInFormat(2, start);
      const before = await storedRow(own.key);
      for (const asking of [own, attempt({ key: own.key })]) {
        if (verb === 'heartbeat') {
          // One unreadable record must not cost the other claims their heartbeat.
          expect(await ask(ledger, asking)).toEqual(['lost']);
        } else {
          const error = await errorOf(ask(ledger, asking));
          expect(error).toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD', key: own.key });
          expect(error.message).toMatch(/it has format 2, this version of sendonce reads format 1/);
        }
        expect(await storedRow(own.key)).toEqual(before);
      }
      expect(before).toBeDefined();
    },
  );
});

test('a record of a format that was given up is unreadable as well', async () => {
  const own = await storeInFormat(0, (one) => ledger.claim(one));
  expect((await errorOf(ledger.claim(own))).message).toMatch(/it has format 0/);
});

test.each(['open', 'in-doubt'] as const)(
  'the list "%s" has all other records before it throws for one of format 2',
  async (state) => {
    const doubt = (one: Attempt) => ledger.settle({ ...one, outcome: 'in-doubt' });
    const before = attempt();
    await doubt(before);
    await storeInFormat(2, doubt);
    const after = attempt();
    await doubt(after);
    const keys: string[] = [];
    const error = await errorOf(
      (async () => {
        for await (const { key } of ledger.list({ state })) keys.push(key);
      })(),
    );
    expect(error).toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD' });
    expect(error.message).toMatch(/it has format 2, this version of sendonce reads format 1/);
    expect(keys).toEqual([before.key, after.key]);
  },
);

test('the sweep removes what is over in format 1, and leaves what looks the same in format 2', async () => {
  const dead = space.ledger();
  const over = [
    (own: Attempt) => ledger.settle({ ...own, outcome: 'sent' }),
    (own: Attempt) => dead.claim(own),
  ];
  const readable: string[] = [];
  const unreadable: string[] = [];
  for (const start of over) {
    readable.push((await storeInFormat(1, start)).key);
    unreadable.push((await storeInFormat(2, start)).key);
  }
  await dead.close();
  await space.query(`UPDATE :schema.records SET seen_at = now() - interval '2 hours',
    expires_at = expires_at - interval '1 year'`);
  const before = await Promise.all(unreadable.map(storedRow));
  await expect
    .poll(async () => {
      await space.query('SELECT :schema.sweep(1000)');
      return Promise.all(readable.map(storedRow));
    })
    .toEqual([undefined, undefined]);
  expect(await Promise.all(unreadable.map(storedRow))).toEqual(before);
  // Nor does a verb take it for absent.
  for (const key of unreadable) {
    for (const [verb, ask] of everyVerb) {
      if (verb.startsWith('list') || verb === 'heartbeat') continue;
      expect(await errorOf(ask(ledger, attempt({ key })))).toMatchObject({
        code: 'SENDONCE_UNREADABLE_RECORD',
      });
    }
  }
  expect(await Promise.all(unreadable.map(storedRow))).toEqual(before);
});

test('a record of format 1 in an unknown state is left by verbs and sweep, also past its retention', async () => {
  const own = attempt();
  await ledger.settle({ ...own, outcome: 'sent' });
  await space.query('ALTER TABLE :schema.records DROP CONSTRAINT records_state_check');
  await space.query(`UPDATE :schema.records SET state = 'bounced', expires_at = now()`);
  const before = await storedRow(own.key);
  for (const ask of [() => ledger.claim(own), () => ledger.release(own)]) {
    const error = await errorOf(ask());
    expect(error).toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD' });
    expect(error.message).toMatch(/it has format 1, but is damaged/);
  }
  await space.query('SELECT :schema.sweep(1000)');
  expect(await storedRow(own.key)).toEqual(before);
});

test('the view shows a record of format 2 as unreadable, also past its retention', async () => {
  const own = await storeInFormat(2, (one) => ledger.settle({ ...one, outcome: 'sent' }));
  await space.query(`UPDATE :schema.records SET expires_at = now() - interval '1 second'`);
  const rows = await space.query('SELECT key, state FROM :schema.emails');
  expect(rows).toEqual([{ key: own.key, state: 'unreadable' }]);
});

test('texts, job and resolver come back as they were given', async () => {
  const job = { queue: 'no"tices\u0000', id: 'email:\\1' };
  const own = attempt({ job, by: 'the shop' });
  await ledger.settle({ ...own, outcome: 'in-doubt', note: 'ETIMEDOUT', lateNotSent: true });
  const doubt = await ledger.read(own.key);
  expect(doubt).toMatchObject({ job, by: 'the shop', note: 'ETIMEDOUT', lateNotSent: true });
  await ledger.resolve({ ...own, by: 'Ann: in the log', verdict: 'sent' });
  const resolved = await ledger.read(own.key);
  expect(resolved).toMatchObject({
    state: 'sent',
    job,
    note: 'ETIMEDOUT',
    resolvedBy: 'Ann: in the log',
  });
  expect(resolved).not.toHaveProperty('lateNotSent');
  expect(await listed(ledger, 'open')).toEqual([]);
});
