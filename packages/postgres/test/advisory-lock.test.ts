import { eventually, startPostgres } from '@sendonce/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { migratePostgres } from '../src/index.ts';
import { attempt, errorOf, listed, openSchema, type Space } from './database.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
let space: Space;
beforeAll(async () => {
  server = await startPostgres();
  space = openSchema('locks', server.url);
  await space.ledger().ready();
  for (const role of ['mallory', 'login NOINHERIT', 'mailer']) {
    await space.query(`CREATE ROLE ${role} LOGIN PASSWORD 'sendonce'`);
  }
  await space.query('GRANT mailer TO login');
  await space.query('GRANT USAGE ON SCHEMA :schema TO mailer');
  await space.query('GRANT ALL ON ALL TABLES IN SCHEMA :schema TO mailer');
});
afterAll(async () => {
  await space.close();
  await server.stop();
});

function urlOf(role: string): string {
  const url = new URL(server.url);
  url.username = role;
  return url.href;
}

test('a role without rights hides neither a doubt nor a free claim by taking the same lock', async () => {
  const sender = space.ledger();
  const [dispatched, claimed] = [attempt(), attempt()];
  await sender.claim({ ...dispatched, dispatched: true });
  await sender.claim(claimed);
  const [session] = await space.sessions();
  const mallory = new Client({ connectionString: urlOf('mallory') });
  await mallory.connect();
  onTestFinished(() => mallory.end());
  const taken = mallory.query('SELECT pg_advisory_lock($1)', [session!.lock]);
  await eventually(async () =>
    expect(await space.query('SELECT FROM pg_locks WHERE NOT granted')).toHaveLength(1),
  );
  const ledger = space.ledger();
  // The owner is alive as long as it holds its lock, although another role waits for it.
  expect((await ledger.read(dispatched.key))?.state).toBe('dispatched');
  await sender.close();
  await taken;

  expect((await ledger.read(dispatched.key))?.state).toBe('in-doubt');
  expect((await listed(ledger, 'in-doubt')).map(({ key }) => key)).toEqual([dispatched.key]);
  const text = 'SELECT key, state FROM :schema.emails';
  expect(await space.query(text)).toEqual([{ key: dispatched.key, state: 'in-doubt' }]);
  expect((await ledger.claim(attempt({ key: dispatched.key }))).state).toBe('in-doubt');
  expect(await ledger.resolve({ ...dispatched, verdict: 'sent', by: 'Ann' })).toEqual({
    state: 'resolved',
  });
  await space.query(`UPDATE :schema.records SET seen_at = now() - interval '2 hours'
    WHERE state = 'claimed'`);
  await space.query('SELECT :schema.sweep(1000)');
  expect(await space.query(`SELECT FROM :schema.records WHERE state = 'claimed'`)).toEqual([]);
  expect(await ledger.claim(attempt({ key: claimed.key }))).toEqual({ state: 'won' });
});

test('a sender lives whose login gets its rights by SET ROLE only', async () => {
  const pool = space.pool(urlOf('login'));
  pool.on('connect', (client) => void client.query('SET ROLE mailer'));
  const sender = space.ledger(pool, { migrate: false });
  const own = attempt();
  await sender.claim({ ...own, dispatched: true });
  const ledger = space.ledger();
  expect((await ledger.read(own.key))?.state).toBe('dispatched');
  expect((await listed(ledger, 'in-doubt')).map(({ key }) => key)).not.toContain(own.key);
  expect(await space.query('SELECT state FROM :schema.emails WHERE key = $1', [own.key])).toEqual([
    { state: 'dispatched' },
  ]);
});

test('a migration does not wait for ever for a lock that another role holds', async () => {
  const mallory = new Client({ connectionString: urlOf('mallory') });
  await mallory.connect();
  onTestFinished(() => mallory.end());
  await mallory.query(`SELECT pg_advisory_lock(hashtextextended('sendonce "waiting"', 0))`);
  const error = await errorOf(migratePostgres(space.pool(), { schema: 'waiting' }));
  expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
  expect(error.message).toMatch(/lock timeout.*look for it in pg_locks/s);
});

test('thousands of senders that died do not fill the locks of the server', async () => {
  const ledger = space.ledger();
  await ledger.ready();
  await space.query(`INSERT INTO :schema.records (key, format, state, token, session, at, seen_at)
    SELECT 'old' || i, 1, 'dispatched', 'token', (1::bigint << 32) | i, now(), now()
    FROM generate_series(1, 30000) i`);
  const [{ count } = { count: 0 }] = await space.query<{ count: number }>(
    'SELECT count(*)::int FROM :schema.open_keys(true, 7, 1)',
  );
  expect(count).toBeGreaterThanOrEqual(30_000);
});

test('a session that connects while a batch waits for a row is alive to that batch', async () => {
  const [busy, locked, fresh] = ['A', 'B', 'C'].map((first) =>
    attempt({ key: `${first}${attempt().key.slice(1)}` }),
  );
  const dispatched = true;
  for (const email of [busy!, locked!]) await space.ledger().claim({ ...email, dispatched });
  const ledger = space.ledger();
  await ledger.ready();
  const holder = new Client({ connectionString: server.url });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('BEGIN');
  const row = `SELECT FROM ${space.quoted}.records WHERE key = $1 FOR UPDATE`;
  await holder.query(row, [locked!.key]);

  // The batch looks at the owner of the first email, and then waits for the row of the second.
  const batch = [busy!, locked!, fresh!].map(({ key }) =>
    ledger.claim({ ...attempt({ key }), dispatched }),
  );
  await eventually(async () =>
    expect(await space.query('SELECT FROM pg_locks WHERE NOT granted')).toHaveLength(1),
  );
  await space.ledger().claim({ ...fresh!, dispatched });
  await holder.query('COMMIT');
  expect((await Promise.all(batch)).map(({ state }) => state)).toEqual(['busy', 'busy', 'busy']);
});
