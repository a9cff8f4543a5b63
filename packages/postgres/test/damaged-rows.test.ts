import type { Attempt } from '@sendonce/core';
import { types } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { attempt, errorOf, listed, openSchema } from './database.ts';
import { everyVerb } from './every-verb.ts';

const space = openSchema('damaged');
const ledger = space.ledger();
beforeAll(() => ledger.ready());
afterEach(() => space.query('DELETE FROM :schema.records'));
afterAll(() => space.close());

const times = ['infinity', '-infinity', '290000-01-01', '10000-01-01', '0044-03-15 BC'];
const doubt = (own: Attempt) => ledger.settle({ ...own, outcome: 'in-doubt' });
const sent = (own: Attempt) => ledger.settle({ ...own, outcome: 'sent' });
const dispatched = (own: Attempt) => ledger.claim({ ...own, dispatched: true });

async function storeAt(time: string, start: (own: Attempt) => Promise<unknown>): Promise<Attempt> {
  const own = attempt();
  await start(own);
  await space.query('UPDATE :schema.records SET at = $2 WHERE key = $1', [own.key, time]);
  return own;
}

async function storedRow(key: string): Promise<unknown> {
  const text = 'SELECT xmin::text AS writer, r::text AS row FROM :schema.records r WHERE key = $1';
  return (await space.query(text, [key]))[0];
}

describe.each(times)('a record whose time is %s', (time) => {
  test.each(everyVerb.filter(([verb]) => !verb.startsWith('list')))(
    '%s: unreadable, the row stays, and the other emails of the batch are served',
    async (verb, ask) => {
      for (const start of [doubt, sent, dispatched]) {
        const own = await storeAt(time, start);
        const before = await storedRow(own.key);
        const ends = await Promise.allSettled([
          ledger.claim(attempt()),
          ask(ledger, own),
          ask(ledger, attempt({ key: own.key })),
          ledger.claim(attempt()),
        ]);
        const won = { status: 'fulfilled', value: { state: 'won' } };
        expect([ends[0], ends[3]]).toEqual([won, won]);
        for (const end of [ends[1], ends[2]]) {
          if (verb === 'heartbeat') expect(end).toMatchObject({ value: ['lost'] });
          else expect(end).toMatchObject({ reason: { code: 'SENDONCE_UNREADABLE_RECORD' } });
        }
        expect(await storedRow(own.key)).toEqual(before);
      }
    },
  );

  test.each(['open', 'in-doubt'] as const)(
    'the list "%s" and the view show all others',
    async (state) => {
      const first = attempt();
      await doubt(first);
      const damaged = await storeAt(time, doubt);
      const last = attempt();
      await doubt(last);
      const keys: string[] = [];
      const error = await errorOf(
        (async () => {
          for await (const { key } of ledger.list({ state })) keys.push(key);
        })(),
      );
      expect(error).toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD', key: damaged.key });
      expect(keys).toEqual([first.key, last.key]);
      const rows = await space.query('SELECT key, state FROM :schema.emails ORDER BY state, key');
      expect(rows).toContainEqual({ key: damaged.key, state: 'unreadable' });
      expect(rows).toHaveLength(3);
    },
  );

  test('the sweep leaves it, and removes the others', async () => {
    const damaged = await storeAt(time, sent);
    const over = attempt();
    await sent(over);
    await space.query(`UPDATE :schema.records SET expires_at = now() - interval '1 second'`);
    await space.query('SELECT :schema.sweep(1000)');
    expect(await space.query('SELECT key FROM :schema.records')).toEqual([{ key: damaged.key }]);
  });
});

test('a sweep whose count is no number ends', async () => {
  const own = space.ledger(space.pool(), { intervalMs: 20 });
  await own.ready();
  // Such as an application does that wants its own numbers.
  const parser = types.getTypeParser(types.builtins.INT4);
  const parse = vi.fn((text: string) => ({ text }));
  types.setTypeParser(types.builtins.INT4, parse);
  onTestFinished(() => types.setTypeParser(types.builtins.INT4, parser));
  await vi.waitFor(() => expect(parse).toHaveBeenCalled(), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  types.setTypeParser(types.builtins.INT4, parser);
  // Rounds of about 20 ms, and not one that runs without a pause.
  expect(parse.mock.calls.length).toBeLessThan(150);
  await own.close();
});

describe('a batch in which the server refuses one email', () => {
  test.each([0, 31, 63])('the other 63 are served once each: number %s', async (number) => {
    await space.query(
      `ALTER TABLE :schema.records ADD CONSTRAINT refuse CHECK (note IS DISTINCT FROM 'poison')`,
    );
    onTestFinished(async () => {
      await space.query('ALTER TABLE :schema.records DROP CONSTRAINT refuse');
    });
    const attempts = Array.from({ length: 64 }, () => attempt());
    const ends = await Promise.allSettled(
      attempts.map((one, index) =>
        index === number
          ? ledger.settle({ ...one, outcome: 'rejected', note: 'poison' })
          : ledger.claim({ ...one, dispatched: true }),
      ),
    );
    expect(ends[number]).toMatchObject({ reason: { code: 'SENDONCE_LEDGER_UNAVAILABLE' } });
    const others = ends.filter((_, index) => index !== number);
    for (const end of others) {
      expect(end).toEqual({ status: 'fulfilled', value: { state: 'won' } });
    }
    expect(await listed(ledger, 'open')).toHaveLength(63);
  });
});
