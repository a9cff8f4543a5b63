import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { migratePostgres, postgresLedger } from '../src/index.ts';
import { attempt, errorOf, openSchema, type Space } from './database.ts';

let space: Space;
beforeEach(() => {
  space = openSchema('migrate');
});
afterEach(() => space.close());

async function exists(): Promise<boolean> {
  const rows = await space.query('SELECT FROM pg_namespace WHERE nspname = $1', [space.schema]);
  return rows.length > 0;
}

test('8 ledgers that start at once: one migrates, all work', async () => {
  const ledgers = Array.from({ length: 8 }, () => space.ledger());
  const replies = await Promise.all(ledgers.map((ledger) => ledger.claim(attempt())));
  expect(replies).toEqual(ledgers.map(() => ({ state: 'won' })));
  const versions = await space.query('SELECT version FROM :schema.migrations ORDER BY version');
  expect(versions).toEqual([{ version: 1 }, { version: 2 }, { version: 3 }]);
});

test('a migration that is repeated changes nothing', async () => {
  const pool = space.pool();
  await migratePostgres(pool, { schema: space.schema });
  const before = await space.query('SELECT * FROM :schema.migrations');
  await migratePostgres(pool, { schema: space.schema });
  expect(await space.query('SELECT * FROM :schema.migrations')).toEqual(before);
});

test('a schema whose name must be quoted works', async () => {
  const pool = space.pool();
  const schema = `${space.schema.slice(0, 20)} "it's" $& Ü`;
  onTestFinished(async () => {
    const client = new Client({ connectionString: space.url });
    await client.connect();
    await client.query(`DROP SCHEMA ${client.escapeIdentifier(schema)} CASCADE`);
    await client.end();
  });
  const ledger = postgresLedger(pool, { schema });
  expect(await perform(() => 'sent', { ledger, key: deriveKey(createToken()) })).toMatchObject({
    state: 'sent',
  });
  await ledger.close();
});

test('a schema that a newer release has migrated is refused, and stays as it is', async () => {
  await migratePostgres(space.pool(), { schema: space.schema });
  await space.query('INSERT INTO :schema.migrations (version) VALUES (99)');
  const ledger = space.ledger();
  for (const verb of [ledger.ready(), ledger.claim(attempt())]) {
    const error = await errorOf(verb);
    expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'schema' });
    expect(error.message).toMatch(
      /version 99.*newer release.*Nothing was sent.*Update the package/s,
    );
  }
  expect(await ledger.doctor()).toMatchObject([{ check: 'schema', severity: 'error' }]);
});

test('"migrate: false" creates nothing, and says what to run', async () => {
  const ledger = space.ledger(space.pool(), { migrate: false });
  const error = await errorOf(ledger.ready());
  expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'schema' });
  expect(error.message).toMatch(/not there yet.*migratePostgres\(pool/s);
  expect(await exists()).toBe(false);
  await migratePostgres(space.pool(), { schema: space.schema });
  // The refusal is not remembered.
  expect(await ledger.claim(attempt())).toEqual({ state: 'won' });
});

test('a migration that fails leaves nothing behind', async () => {
  // An event trigger would need a superuser as well; a type of that name in the way does not.
  await space.query('CREATE SCHEMA :schema');
  await space.query('CREATE TYPE :schema.operation AS (i int)');
  expect(await errorOf(space.ledger().ready())).toMatchObject({
    code: 'SENDONCE_LEDGER_UNAVAILABLE',
  });
  const tables = await space.query(
    'SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relkind = $2',
    [space.schema, 'r'],
  );
  expect(tables).toEqual([]);
});

describe('a role with few rights', () => {
  let role: string;
  let url: string;
  beforeEach(async () => {
    role = `sendonce_test_${createToken().replaceAll(/\W/g, '_').toLowerCase()}`;
    await space.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    const own = new URL(space.url);
    own.username = role;
    own.password = 'secret';
    url = own.href;
    onTestFinished(async () => {
      const admin = new Client({ connectionString: space.url });
      await admin.connect();
      await admin.query(`DROP OWNED BY ${role}`);
      await admin.query(`DROP ROLE ${role}`);
      await admin.end();
    });
  });

  test('that may not create the schema: the error names the GRANT, and nothing is left behind', async () => {
    const ledger = space.ledger(space.pool(url));
    const error = await errorOf(ledger.ready());
    expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'pool' });
    expect(error.message).toMatch(new RegExp(`GRANT CREATE ON DATABASE \\w+ TO ${role}`));
    expect(error.message).not.toContain('secret');
    expect(await exists()).toBe(false);
    expect(await ledger.doctor()).toMatchObject([{ check: 'rights', severity: 'error' }]);
  });

  test('that may not use the schema gets it by running what the error says', async () => {
    await migratePostgres(space.pool(), { schema: space.schema });
    const ledger = space.ledger(space.pool(url));
    // None of them, only that of the schema, and all but that of the records: a half is not enough.
    for (const enough of [/^$/, /USAGE/, /USAGE|migrations/, /GRANT/]) {
      const error = await errorOf(ledger.ready());
      expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'pool' });
      const grants = error.message.match(/GRANT [^;]+;/g)!.filter((text) => !/CREATE/.test(text));
      for (const grant of grants.filter((text) => enough.test(text))) await space.query(grant);
    }
    expect(await perform(() => 'sent', { ledger, key: deriveKey(createToken()) })).toMatchObject({
      state: 'sent',
    });
    await ledger.doctor();
    expect(await space.query('SELECT state FROM :schema.emails')).toEqual([{ state: 'sent' }]);
  });

  test('whose rights are revoked while it works: the error names the GRANT', async () => {
    await migratePostgres(space.pool(), { schema: space.schema });
    const grant = 'ALL ON ALL TABLES IN SCHEMA :schema';
    await space.query(`GRANT USAGE ON SCHEMA :schema TO ${role}`);
    await space.query(`GRANT ${grant} TO ${role}`);
    const ledger = space.ledger(space.pool(url));
    await ledger.ready();
    await space.query(`REVOKE ${grant} FROM ${role}`);
    expect((await errorOf(ledger.claim(attempt()))).message).toMatch(/GRANT SELECT, INSERT/);
  });
});
