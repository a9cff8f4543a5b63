import type { Attempt } from '@sendonce/core';
import { eventually, startPostgres } from '@sendonce/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { migratePostgres } from '../src/index.ts';
import { attempt, openSchema, type Space } from './database.ts';
import { everyVerb } from './every-verb.ts';
import { trapsFor, wordsOfTheSource } from './traps.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

async function runAs(url: string, ...statements: string[]) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The server's URL with another database or role, and perhaps another search_path. */
function urlOf({ database = 'postgres', user = 'postgres', path = '' }): string {
  const url = new URL(server.url);
  url.pathname = database;
  url.username = user;
  if (path) url.searchParams.set('options', `-c search_path=${path}`);
  return url.href;
}

test('another role gains nothing from functions and operators in the schema "public"', async () => {
  await runAs(
    server.url,
    'CREATE DATABASE shop',
    `CREATE ROLE mallory LOGIN PASSWORD 'sendonce'`,
    `CREATE ROLE mailer LOGIN PASSWORD 'sendonce'`,
  );
  const url = urlOf({ database: 'shop' });
  // The default of PostgreSQL up to 14, and of each database that was upgraded from one.
  await runAs(url, 'GRANT CREATE ON SCHEMA public TO PUBLIC');
  await runAs(
    urlOf({ database: 'shop', user: 'mallory' }),
    `CREATE FUNCTION public.hashtextextended(t text, seed integer) RETURNS bigint LANGUAGE plpgsql
     AS $$ BEGIN
       BEGIN ALTER ROLE mallory SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
       RETURN pg_catalog.hashtextextended(t, seed::bigint);
     END $$`,
    'CREATE TABLE public.stolen (role text)',
    'GRANT INSERT ON public.stolen TO PUBLIC',
    `CREATE FUNCTION public.times(a numeric, b integer) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO public.stolen VALUES (current_user);
       RETURN pg_catalog.numeric_mul(a, b::numeric);
     END $$`,
    'CREATE OPERATOR public.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = public.times)',
  );
  const space = openSchema('hostile', url);
  onTestFinished(() => space.close());
  await migratePostgres(space.pool(), { schema: space.schema });
  expect(await space.query(`SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'`)).toEqual([
    { rolsuper: false },
  ]);
  await space.query('GRANT USAGE ON SCHEMA :schema TO mailer');
  await space.query('GRANT ALL ON ALL TABLES IN SCHEMA :schema TO mailer');
  const pool = space.pool(urlOf({ database: 'shop', user: 'mailer' }));
  const ledger = space.ledger(pool, { migrate: false });
  const own = attempt();
  await ledger.settle({ ...own, outcome: 'sent' });
  expect((await ledger.claim(attempt({ key: own.key }))).state).toBe('duplicate');
  expect(await space.query('SELECT * FROM public.stolen')).toEqual([]);
});

describe('a schema on the path before pg_catalog, in which every function, operator and type is a trap', () => {
  let space: Space;
  let trapped: string;
  beforeAll(async () => {
    await runAs(server.url, 'CREATE DATABASE trapped');
    const safe = urlOf({ database: 'trapped', path: 'pg_catalog' });
    trapped = urlOf({ database: 'trapped', path: 'traps,pg_catalog' });
    await runAs(safe, 'CREATE SCHEMA traps', trapsFor(await wordsOfTheSource()));
    space = openSchema('trapped', safe);
  });
  afterAll(() => space?.close());

  test('the traps work', async () => {
    const client = new Client({ connectionString: trapped });
    await client.connect();
    onTestFinished(() => client.end());
    for (const text of [
      'SELECT 1 = 1',
      `SELECT 'a'::text = 'a'::text`,
      'SELECT pg_backend_pid()',
      'SELECT clock_timestamp()',
      `SELECT cast('a' AS text)`,
      `SELECT array_to_json(array['a'])`,
      'SELECT pid FROM pg_locks',
    ]) {
      await expect(client.query(text), text).rejects.toThrow(/trap|column "pid" does not exist/);
    }
  });

  test('the migration meets none', async () => {
    await migratePostgres(space.pool(trapped), { schema: space.schema });
  });

  test.each(everyVerb)('%s meets none', async (_verb, ask) => {
    const ledger = space.ledger(space.pool(trapped));
    const own = attempt();
    const other = space.ledger(space.pool(trapped));
    for (const start of [
      async () => {},
      () => other.claim(own),
      () => other.claim({ ...own, dispatched: true }),
      () => other.settle({ ...own, outcome: 'in-doubt' }),
      () => other.settle({ ...own, outcome: 'sent' }),
      () => other.cancel(own),
    ]) {
      await start();
      await ask(ledger, attempt({ key: own.key }));
      await ask(ledger, own);
      await space.query('DELETE FROM :schema.records');
    }
    await Promise.all([ledger.close(), other.close()]);
  });

  test('the doctor, the sweep and the view meet none', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => void warnings.push(warning);
    process.on('warning', listener);
    onTestFinished(() => void process.off('warning', listener));
    const pool = space.pool(trapped);
    const ledger = space.ledger(pool, { intervalMs: 20 });
    expect(await ledger.doctor()).toMatchObject([{ check: 'fsync' }]);
    const own = attempt();
    await ledger.settle({ ...own, outcome: 'sent' });
    await space.query(`UPDATE :schema.records SET expires_at = now() - interval '1 second'`);
    await eventually(async () =>
      expect(await space.query('SELECT FROM :schema.records')).toEqual([]),
    );
    await pool.query(`SELECT * FROM ${space.quoted}.emails`);
    expect(warnings.filter(({ message }) => message.includes('trap'))).toEqual([]);
    await ledger.close();
  });

  test('missing rights are explained without meeting one', async () => {
    await runAs(server.url, `CREATE ROLE weak LOGIN PASSWORD 'sendonce'`);
    await space.query('GRANT USAGE ON SCHEMA traps TO weak');
    const url = urlOf({ database: 'trapped', user: 'weak', path: 'traps,pg_catalog' });
    const ledger = space.ledger(space.pool(url));
    await expect(ledger.ready()).rejects.toThrow(/The role weak may not.*GRANT/s);
  });

  test('the functions meet none when their caller has set no path', async () => {
    const client = new Client({ connectionString: trapped });
    await client.connect();
    onTestFinished(() => client.end());
    const other = space.ledger();
    const text = `SELECT * FROM ${space.quoted}.act($1, 7, true, $2, 1)`;
    const pid = (client as Client & { processID: number }).processID;
    const act = async (verb: string, { key, token, retentionMs }: Attempt, more: object = {}) => {
      const operation = { i: 0, verb, key, token, retention_ms: retentionMs, ...more };
      const { rows } = await client.query(text, [pid, JSON.stringify([operation])]);
      return (rows[0] as { status: string }).status;
    };
    const verbs: [verb: string, more?: object][] = [
      ['claim'],
      ['claim', { dispatched: true }],
      ['dispatch'],
      ['settle', { outcome: 'sent' }],
      ['settle', { outcome: 'skipped' }],
      ['settle', { outcome: 'in-doubt' }],
      ['release'],
      ['heartbeat'],
      ['read'],
      ['resolve', { outcome: 'sent' }],
      ['resolve', { outcome: 'not-sent' }],
      ['cancel'],
    ];
    const starts: ((own: Attempt) => Promise<unknown>)[] = [
      async () => {},
      (own) => act('claim', own),
      (own) => other.claim(own),
      (own) => other.claim({ ...own, dispatched: true }),
      (own) => act('settle', own, { outcome: 'in-doubt' }),
      (own) => act('settle', own, { outcome: 'sent' }),
      (own) => act('settle', own, { outcome: 'skipped' }),
      (own) => act('cancel', own),
      async (own) => {
        await act('settle', own, { outcome: 'sent' });
        await space.query(`UPDATE :schema.records SET expires_at = now() - interval '1 second'
          WHERE expires_at IS NOT NULL`);
      },
    ];
    for (const start of starts) {
      for (const [verb, more] of verbs) {
        const own = attempt();
        await start(own);
        expect(await act(verb, attempt({ key: own.key }), more)).toMatch(/^[a-z-]+$/);
        expect(await act(verb, own, more)).toMatch(/^[a-z-]+$/);
      }
    }
    await client.query(`SELECT * FROM ${space.quoted}.open_keys(false, 7, 1)`);
    await client.query(`SELECT ${space.quoted}.sweep(1000)`);
    await space.query('DELETE FROM :schema.records');
  });

  test('each function is safe also when a person calls it', async () => {
    const client = new Client({ connectionString: trapped });
    await client.connect();
    onTestFinished(() => client.end());
    const functions = await space.query<{ name: string; call: string }>(`
      SELECT proname AS name, format('%s(%s)', p.oid::regproc, (
        SELECT coalesce(string_agg(format('cast(null as %s)', format_type(t, null)), ', '), '')
        FROM unnest(proargtypes) t
      )) AS call
      FROM pg_proc p WHERE pronamespace = '${space.quoted}'::regnamespace`);
    expect(functions.length).toBeGreaterThan(20);
    for (const { name, call } of functions) {
      // The other types are words of the grammar, which no schema can replace.
      const qualified = call.replaceAll(/as (text|json|oid)\)/g, 'as pg_catalog.$1)');
      const error = await client.query(`SELECT ${qualified}`).catch(({ message }) => message);
      expect(String(error), name).not.toMatch(/trap/);
    }
  });
});
