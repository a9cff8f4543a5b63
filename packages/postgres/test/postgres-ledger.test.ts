import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { Client } from 'pg';
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { attempt, errorOf, listed, openSchema } from './database.ts';

const space = openSchema('ledger');
afterAll(() => space.close());
afterEach(() => vi.restoreAllMocks());
const ledger = space.ledger();

describe('what it costs', () => {
  test('verbs of one tick go out as one query, and an email costs two', async () => {
    const pool = space.pool();
    const own = space.ledger(pool);
    const queries = vi.spyOn(Client.prototype, 'query');
    await own.ready();
    queries.mockClear();
    const replies = await Promise.all(
      Array.from({ length: 64 }, () => own.claim({ ...attempt(), dispatched: true })),
    );
    expect(replies.every(({ state }) => state === 'won')).toBe(true);
    expect(queries).toHaveBeenCalledTimes(1);
    // The doctor looks once, beside the first email.
    await perform(() => 'sent', { ledger: own, key: deriveKey(createToken()) });
    queries.mockClear();
    await perform(() => 'sent', { ledger: own, key: deriveKey(createToken()) });
    expect(queries).toHaveBeenCalledTimes(2);
  });

  test('any number of claims takes one connection, and an idle ledger none', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const pool = space.pool();
    const own = space.ledger(pool);
    const attempts = Array.from({ length: 100 }, () => attempt());
    await Promise.all(attempts.map((one) => own.claim(one)));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pool.totalCount).toBe(1);
    await Promise.all(attempts.map((one) => own.release(one)));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pool.totalCount).toBe(0);
    expect(await own.claim(attempt())).toEqual({ state: 'won' });
    vi.useRealTimers();
    await own.close();
    await eventually(() => expect(pool.totalCount).toBe(0));
  });

  test('a ledger sends one query at a time: pg 9 refuses more', async () => {
    const own = space.ledger(space.pool());
    let running = 0;
    const query = Reflect.get(Client.prototype, 'query') as (...args: unknown[]) => unknown;
    const counted = async function (this: Client, ...args: unknown[]) {
      running += 1;
      expect(running).toBe(1);
      try {
        return await query.apply(this, args);
      } finally {
        running -= 1;
      }
    };
    vi.spyOn(Client.prototype, 'query').mockImplementation(counted);
    await own.ready();
    const lists = Array.from({ length: 3 }, () => listed(own, 'open'));
    await Promise.all([...lists, own.claim(attempt()), own.doctor(), own.ready()]);
    await own.close();
  });
});

describe('claims', () => {
  test('a claim that is not renewed for two leases is released, or in doubt', async () => {
    const own = space.ledger(space.pool(), { intervalMs: 40 });
    onTestFinished(() => own.close());
    const short = { leaseMs: 1_000 };
    const [claimed, dispatched, beating] = [attempt(short), attempt(short), attempt(short)];
    await own.claim(claimed);
    await own.claim({ ...dispatched, dispatched: true });
    await own.claim(beating);
    await eventually(
      async () => {
        expect(await own.heartbeat([beating])).toEqual(['kept']);
        expect(await ledger.read(claimed.key)).toBeUndefined();
        expect((await ledger.read(dispatched.key))?.state).toBe('in-doubt');
      },
      { everyMs: 10, timeoutMs: 15_000 },
    );
    expect(await own.dispatch(claimed)).toEqual({ state: 'expired' });
    expect(await own.dispatch(beating)).toEqual({ state: 'dispatched' });
  });

  test('close() releases all claims and notifies their senders', async () => {
    const own = space.ledger();
    const lost: string[] = [];
    own.onLost!((tokens) => lost.push(...tokens));
    const held = attempt();
    await own.claim(held);
    await own.close();
    expect(lost).toEqual([held.token]);
    await eventually(async () => expect(await ledger.read(held.key)).toBeUndefined());
    expect(await errorOf(own.claim(held))).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    await own.close();
  });

  test('`await using` releases all claims at the end of the block', async () => {
    const held = attempt();
    {
      await using own = space.ledger();
      await own.claim(held);
      expect((await ledger.read(held.key))?.state).toBe('claimed');
    }
    await eventually(async () => expect(await ledger.read(held.key)).toBeUndefined());
  });

  test('close() waits for a settlement in flight', async () => {
    const own = space.ledger();
    const first = attempt();
    await own.claim({ ...first, dispatched: true });
    const settled = own.settle({ ...first, outcome: 'sent' });
    await new Promise(setImmediate);
    await own.close();
    expect(await settled).toEqual({ state: 'settled' });
  });

  test('a verb on a locked row fails in time, and the others of its batch do not', async () => {
    const locked = attempt();
    await ledger.claim(locked);
    const client = new Client({ connectionString: space.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN');
    const text = `SELECT FROM ${space.quoted}.records WHERE key = $1 FOR UPDATE`;
    await client.query(text, [locked.key]);
    const [dispatch, other] = await Promise.all([
      errorOf(ledger.dispatch(locked)),
      ledger.claim(attempt()),
    ]);
    expect(dispatch).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(dispatch.message).toMatch(/idle in pg_stat_activity/);
    expect(other).toEqual({ state: 'won' });
  });
});

describe('expiry', () => {
  async function keys(): Promise<unknown[]> {
    return (await space.query('SELECT key FROM :schema.records')).map(({ key }) => key);
  }

  test('what is past its retention is removed in the background, and locked rows are skipped', async () => {
    const [gone, used, open] = [attempt({ retentionMs: 60_000 }), attempt(), attempt()];
    for (const one of [gone, used]) await ledger.settle({ ...one, outcome: 'sent' });
    await ledger.claim({ ...open, dispatched: true });
    await ledger.settle({ ...open, outcome: 'in-doubt' });
    await space.query(`UPDATE :schema.records SET expires_at = now() - interval '1 second'
      WHERE expires_at IS NOT NULL`);
    const client = new Client({ connectionString: space.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN');
    await client.query(`SELECT FROM ${space.quoted}.records WHERE key = $1 FOR UPDATE`, [used.key]);

    const own = space.ledger(space.pool(), { intervalMs: 50 });
    onTestFinished(() => own.close());
    await own.ready();
    await eventually(async () => expect(await keys()).not.toContain(gone.key));
    expect(await keys()).toEqual(expect.arrayContaining([used.key, open.key]));
    await client.query('ROLLBACK');
    await eventually(async () => expect(await keys()).not.toContain(used.key));
    expect(await keys()).toContain(open.key);
  });

  test('claims of ended sessions are removed after an hour, those of living ones are not', async () => {
    const dead = space.ledger();
    const [left, held] = [attempt(), attempt()];
    await dead.claim(left);
    await dead.close();
    await ledger.claim(held);
    await space.query(`UPDATE :schema.records SET seen_at = now() - interval '2 hours'
      WHERE state = 'claimed'`);
    await eventually(async () => {
      await space.query('SELECT :schema.sweep(1000)');
      expect(await keys()).not.toContain(left.key);
    });
    expect(await keys()).toContain(held.key);
    await ledger.release(held);
  });

  test('a sweep that is refused is a warning, once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const pool = space.pool();
    const own = space.ledger(pool, { intervalMs: 20 });
    onTestFinished(() => own.close());
    await own.ready();
    await space.query('ALTER FUNCTION :schema.sweep(int) RENAME TO swept');
    onTestFinished(async () => {
      await space.query('ALTER FUNCTION :schema.swept(int) RENAME TO sweep');
    });
    await eventually(() => expect(warn).toHaveBeenCalled());
    const sweeps = vi.spyOn(pool, 'connect');
    await eventually(() => expect(sweeps.mock.calls.length).toBeGreaterThan(2));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toEqual([
      expect.stringMatching(/could not remove expired records: function .*sweep.* does not exist/),
      { type: 'SendonceWarning', code: 'SENDONCE_SWEEP' },
    ]);
  });
});

test('a ledger lists its own dispatches as living: after the doubts, however old', async () => {
  const [alive, doubt] = [attempt(), attempt()];
  await ledger.claim({ ...alive, dispatched: true });
  await ledger.claim({ ...doubt, dispatched: true });
  await ledger.settle({ ...doubt, outcome: 'in-doubt' });
  const keys = (await listed(ledger, 'open')).map(({ key }) => key);
  expect(keys.indexOf(alive.key)).toBeGreaterThan(keys.indexOf(doubt.key));
  await ledger.release(alive);
});

describe('the view "emails"', () => {
  test('shows what a person may see: true states, and no result', async () => {
    const own = space.ledger();
    const job = (id: string) => ({ job: { queue: 'notices', id }, by: `notices:${id}` });
    const [alive, claimed] = [attempt(job('1')), attempt(job('2'))];
    const [doubt, sent, resolved] = [attempt(job('3')), attempt(job('4')), attempt(job('5'))];
    await ledger.claim({ ...alive, dispatched: true });
    await own.claim(claimed);
    await own.claim({ ...doubt, dispatched: true });
    await own.settle({ ...sent, outcome: 'sent', result: '"private"', messageId: '<4@shop>' });
    await own.settle({ ...resolved, outcome: 'in-doubt', note: 'ETIMEDOUT' });
    await own.resolve({ ...resolved, verdict: 'sent', by: 'Ann' });
    await own.close();
    const text = `SELECT * FROM :schema.emails WHERE "by" LIKE 'notices:%' ORDER BY "by"`;
    const rows = await eventually(async () => {
      const found = await space.query(text);
      expect(found).toHaveLength(4);
      return found;
    });
    expect(rows.map(({ by, state, message_id }) => [by, state, message_id])).toEqual([
      ['notices:1', 'dispatched', null],
      ['notices:3', 'in-doubt', null],
      ['notices:4', 'sent', '<4@shop>'],
      ['notices:5', 'sent', null],
    ]);
    expect(rows.map(({ job_queue, job_id }) => [job_queue, job_id])).toEqual(
      ['1', '3', '4', '5'].map((id) => ['notices', id]),
    );
    expect(rows[3]).toMatchObject({ note: 'ETIMEDOUT', resolved_by: 'Ann' });
    const columns = 'key state at job_queue job_id by message_id note resolved_by late_not_sent';
    expect(Object.keys(rows[0]!)).toEqual(columns.split(' '));
    expect((await listed(ledger, 'in-doubt')).map(({ by }) => by)).toContain('notices:3');
    await ledger.settle({ ...alive, outcome: 'sent' });
  });
});
