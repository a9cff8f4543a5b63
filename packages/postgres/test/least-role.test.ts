import { readFileSync } from 'node:fs';
import { describeLedger } from '@sendonce/ledger-tests';
import { startPostgres } from '@sendonce/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migratePostgres } from '../src/index.ts';
import { openSchema, type Space } from './database.ts';
import { ledgerUnderTest } from './ledger-under-test.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [forAdministrator = '', forOwner = ''] = [...readme.matchAll(/```sql\n([^]*?)```/g)].map(
  ([, text]) => text,
);

let server: Awaited<ReturnType<typeof startPostgres>>;
beforeAll(async () => {
  server = await startPostgres();
  await run(server.url, 'CREATE DATABASE shop');
  // What each role may do by default on most servers.
  await run(urlOf('postgres'), 'REVOKE ALL ON DATABASE shop FROM PUBLIC');
  await run(urlOf('postgres'), 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
  await run(urlOf('postgres'), 'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC');
  await run(urlOf('postgres'), forAdministrator);
  await run(
    urlOf('sendonce_owner'),
    'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
  );
});
afterAll(() => server.stop());

async function run(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

function urlOf(role: string): string {
  const url = new URL(server.url);
  url.pathname = 'shop';
  if (role !== 'postgres') [url.username, url.password] = [role, 'change this'];
  return url.href;
}

async function prepare(space: Space): Promise<void> {
  const { schema, quoted } = space;
  const owner = space.pool(urlOf('sendonce_owner'));
  await migratePostgres(owner, { schema });
  await owner.query(forOwner.replaceAll(/(?<= )sendonce(?=[ .])/g, () => quoted));
}

const openSpace = () => openSchema('least', urlOf('postgres'), urlOf('sendonce_worker'));

describeLedger('the PostgreSQL ledger under the least role of the README', () =>
  ledgerUnderTest(openSpace(), prepare),
);

test('the least role may neither change the schema nor read other tables', async () => {
  const space = openSpace();
  await prepare(space);
  await space.query('CREATE TABLE :schema.orders (id int)');
  for (const text of [
    'CREATE TABLE :schema.mine (id int)',
    'DROP TABLE :schema.records',
    'TRUNCATE :schema.records',
    'SELECT FROM :schema.orders',
    'INSERT INTO :schema.migrations (version) VALUES (99)',
    'CREATE SCHEMA mine',
    'CREATE TABLE public.mine (id int)',
  ]) {
    const asWorker = space.pool().query(text.replaceAll(':schema', space.quoted));
    await expect(asWorker, text).rejects.toThrow(/permission denied|must be owner/);
  }
  const ledger = space.ledger(space.pool(), { migrate: false });
  expect(await ledger.doctor()).toMatchObject([{ check: 'fsync' }]);
  await space.close();
});

test('without one of its grants the ledger is refused at the start', async () => {
  const space = openSpace();
  await prepare(space);
  const ledger = space.ledger(space.pool(), { migrate: false });
  await ledger.ready();
  await space.query('REVOKE UPDATE ON :schema.records FROM sendonce_worker');
  const late = space.ledger(space.pool(), { migrate: false });
  await expect(late.ready()).rejects.toThrow(/role sendonce_worker may not.*GRANT SELECT/s);
  await space.close();
});
