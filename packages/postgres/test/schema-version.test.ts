import type { Attempt } from '@sendonce/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migratePostgres, type PostgresLedger } from '../src/index.ts';
import { attempt, errorOf, listed, openSchema, type Space } from './database.ts';
import { everyVerb } from './every-verb.ts';

let space: Space;
beforeEach(() => {
  space = openSchema('version');
});
afterEach(() => space.close());

/** Writes over a function what another release would have in its place. */
async function replaceInFunction(name: string, from: RegExp, to: string): Promise<void> {
  const [row] = await space.query<{ definition: string }>(
    `SELECT pg_get_functiondef(':schema.${name}'::regproc) AS definition`,
  );
  expect(row!.definition).toMatch(from);
  await space.query(row!.definition.replace(from, to));
}

/** The functions as a release has them that stores records in this format only. */
const replaceFormat = (format: number) =>
  replaceInFunction('has_format', /\(pg_catalog\.=\) \d+/, `(pg_catalog.=) ${format}`);

/** Brings an email into the state from which the verb does its work. */
async function prepare(ledger: PostgresLedger, verb: string): Promise<Attempt> {
  const own = attempt();
  await ledger.ready();
  if (/^(dispatch|release|heartbeat)/.test(verb)) await ledger.claim(own);
  if (verb.startsWith('settle')) await ledger.claim({ ...own, dispatched: true });
  if (/^(resolve|list)/.test(verb)) await ledger.settle({ ...own, outcome: 'in-doubt' });
  return own;
}

describe('an older process and a schema that a newer release has migrated', () => {
  test('every verb is refused when the process starts after the migration', async () => {
    await migratePostgres(space.pool(), { schema: space.schema });
    await space.query('INSERT INTO :schema.migrations (version) VALUES (4)');
    const pool = space.pool();
    for (const [, ask] of everyVerb)
      expectNewerSchema(await errorOf(ask(space.ledger(pool), attempt())));
    expect(await space.query('SELECT key FROM :schema.records')).toEqual([]);
  });

  test('every verb of a running process is refused once the functions store another format', async () => {
    const ledger = space.ledger();
    const held = attempt();
    await ledger.claim(held);
    await replaceFormat(2);
    await space.query('INSERT INTO :schema.migrations (version) VALUES (4)');
    const before = await space.query('SELECT r::text AS row FROM :schema.records r');
    for (const [, ask] of everyVerb) expectNewerSchema(await errorOf(ask(ledger, held)));
    // Verbs of one batch get the same answer, by one statement.
    const errors = await Promise.all([1, 2, 3].map(() => errorOf(ledger.claim(attempt()))));
    errors.forEach(expectNewerSchema);
    expect(await space.query('SELECT r::text AS row FROM :schema.records r')).toEqual(before);

    // The session is not lost by it: after a rollback of the schema the claim still holds.
    await replaceFormat(1);
    expect(await ledger.dispatch(held)).toEqual({ state: 'dispatched' });
  });

  test('every verb of a running process is refused once its functions are gone', async () => {
    const ledger = space.ledger();
    await ledger.ready();
    await space.query('INSERT INTO :schema.migrations (version) VALUES (4)');
    await space.query('ALTER FUNCTION :schema.act RENAME TO act2');
    await space.query('ALTER FUNCTION :schema.open_keys RENAME TO open_keys2');
    for (const [, ask] of everyVerb) expectNewerSchema(await errorOf(ask(ledger, attempt())));
  });

  test.each(everyVerb)(
    '%s of a running process works if the functions still store its format',
    async (verb, ask) => {
      const ledger = space.ledger();
      const own = await prepare(ledger, verb);
      await space.query('ALTER TABLE :schema.records ADD COLUMN label text');
      await space.query('ALTER TYPE :schema.operation ADD ATTRIBUTE label text');
      await replaceInFunction(
        'reply_record',
        /cast\(r.late_not_sent as text\)/,
        'cast(r.late_not_sent as text), r.label',
      );
      await space.query('INSERT INTO :schema.migrations (version) VALUES (4)');
      const reply = JSON.stringify(await ask(ledger, own));
      const expected = {
        claim: '{"state":"won"}',
        'claim with dispatch': '{"state":"won"}',
        dispatch: '{"state":"dispatched"}',
        'settle sent': '{"state":"settled"}',
        'settle rejected': '{"state":"settled"}',
        'settle in doubt': '{"state":"settled"}',
        release: '{"state":"released"}',
        heartbeat: '["kept"]',
        'resolve sent': '{"state":"resolved"}',
        'resolve not sent': '{"state":"resolved"}',
        cancel: '{"state":"cancelled"}',
      }[verb];
      if (verb === 'read') expect(reply).toBeUndefined();
      else if (verb.startsWith('list')) expect(reply).toContain(own.key);
      else expect(reply).toBe(expected);
    },
  );
});

describe('a newer process and a schema of an older release', () => {
  /** The schema as a release had it that knew two migrations. */
  async function removeLastMigration(): Promise<void> {
    await space.query('DROP VIEW :schema.emails');
    await space.query('DROP FUNCTION :schema.open_keys, :schema.sweep');
    await space.query('DELETE FROM :schema.migrations WHERE version = 3');
  }

  test('every verb is refused when the process starts and may not migrate', async () => {
    await migratePostgres(space.pool(), { schema: space.schema });
    await removeLastMigration();
    const pool = space.pool();
    for (const [, ask] of everyVerb) {
      const ledger = space.ledger(pool, { migrate: false });
      expectOlderSchema(await errorOf(ask(ledger, attempt())));
    }
    expect(await space.query('SELECT key FROM :schema.records')).toEqual([]);
  });

  test.each(everyVerb)(
    '%s works when the process may migrate, and finds the old records',
    async (verb, ask) => {
      const before = space.ledger();
      const own = await prepare(before, verb);
      await removeLastMigration();
      const ledger = space.ledger();
      // What the other ledger has claimed is its own only in its session.
      if (/^(dispatch|release|heartbeat)/.test(verb)) await ledger.heartbeat([own]);
      const reply = await ask(ledger, own);
      if (verb.startsWith('list'))
        expect(reply).toMatchObject([{ key: own.key, state: 'in-doubt' }]);
      const versions = await space.query('SELECT max(version) AS version FROM :schema.migrations');
      expect(versions).toEqual([{ version: 3 }]);
      await listed(ledger, 'open');
    },
  );

  test('every verb of a running process is refused once an older backup is restored', async () => {
    const ledger = space.ledger();
    const held = attempt();
    await ledger.claim(held);
    await replaceFormat(0);
    await space.query('DELETE FROM :schema.migrations WHERE version = 3');
    for (const [, ask] of everyVerb) expectOlderSchema(await errorOf(ask(ledger, held)));
  });

  test('the functions refuse every verb of a process that stores another format', async () => {
    await migratePostgres(space.pool(), { schema: space.schema });
    const { key, token } = attempt();
    const verbs = 'claim dispatch settle release heartbeat read resolve cancel'.split(' ');
    for (const verb of verbs) {
      const operations = JSON.stringify([{ i: 0, verb, key, token, outcome: 'sent' }]);
      const text = 'SELECT :schema.act(pg_backend_pid(), 7, true, $1, 2)';
      expect(await errorOf(space.query(text, [operations]))).toMatchObject({ code: 'SND02' });
    }
    expect(await errorOf(space.query('SELECT :schema.open_keys(true, 7, 2)'))).toMatchObject({
      code: 'SND02',
      message: 'this process stores records in format 2, and the functions of the schema do not',
    });
    expect(await space.query('SELECT key FROM :schema.records')).toEqual([]);
  });
});

test('a schema that is gone is an error that says what to run', async () => {
  const ledger = space.ledger();
  await ledger.ready();
  await space.query('DROP SCHEMA :schema CASCADE');
  const error = await errorOf(ledger.claim(attempt()));
  expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
  expect(error.message).toMatch(/gone or was changed: run migratePostgres\(pool\)/);
});

function expectNewerSchema(error: Error): void {
  expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'schema' });
  expect(error.message).toMatch(
    /has version 4, and this @sendonce\/postgres knows 3: a newer release.*Nothing was sent by this call.*Update the package/s,
  );
}

function expectOlderSchema(error: Error): void {
  expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'schema' });
  expect(error.message).toMatch(
    /has version 2, and this @sendonce\/postgres needs 3.*Nothing was sent by this call.*migratePostgres\(pool/s,
  );
}
