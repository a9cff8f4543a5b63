import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startPostgres } from '@sendonce/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attempt, listed, openSchema, type Space } from './database.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
let space: Space;
beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'on' } });
  space = openSchema('own-server', server.url);
});
afterAll(async () => {
  await space.close();
  await server.stop();
});

test('a restart of the server: signals fire, no claim outlives it, and the ledger reconnects', async () => {
  const ledger = space.ledger();
  const lost: string[] = [];
  ledger.onLost!((tokens) => lost.push(...tokens));
  const claimed = attempt();
  const sending = attempt();
  await ledger.claim(claimed);
  await ledger.claim({ ...sending, dispatched: true });

  await server.restart();
  expect(lost.toSorted()).toEqual([claimed.token, sending.token].toSorted());
  await eventually(async () =>
    expect(await ledger.dispatch(claimed)).toEqual({ state: 'expired' }),
  );
  // Its sender lives, and its claim was renewed without a verb.
  const other = space.ledger();
  await eventually(async () => expect((await other.read(sending.key))?.state).toBe('dispatched'));
  expect(await ledger.settle({ ...sending, outcome: 'sent' })).toEqual({ state: 'settled' });
  expect(await perform(() => 1, { ledger, key: deriveKey(createToken()) })).toMatchObject({
    state: 'sent',
  });
});

test('a restart of the server after the worker died: the email is in doubt, not forgotten', async () => {
  const dead = space.ledger();
  const first = attempt();
  await dead.claim({ ...first, dispatched: true });
  await dead.close();
  await server.restart();
  const ledger = space.ledger();
  const doubts = await eventually(() => listed(ledger, 'in-doubt'));
  expect(doubts.map(({ key }) => key)).toEqual([first.key]);
});

describe('the doctor', () => {
  const examine = async () => {
    const ledger = space.ledger();
    const findings = await ledger.doctor();
    await ledger.close();
    return findings;
  };
  const set = async (setting: string, value: string) => {
    await space.query(`ALTER SYSTEM SET ${setting} = ${value}`);
    await space.query('SELECT pg_reload_conf()');
    await eventually(async () => {
      const [row] = await space.query(`SELECT current_setting('${setting}') AS value`);
      expect(row).toEqual({ value: value.replaceAll("'", '') });
    });
  };

  test('finds nothing on a server that keeps what it acknowledges', async () => {
    expect(await examine()).toEqual([]);
  });

  test.each([
    ['full_page_writes', 'off', 'on', 'warning', /full_page_writes = on/],
    ['synchronous_commit', 'off', 'on', 'info', /^$/],
  ] as const)('%s = %s is a finding', async (setting, bad, good, severity, remedy) => {
    await set(setting, bad);
    expect(await examine()).toEqual([
      expect.objectContaining({
        check: setting,
        severity,
        remedy: expect.stringMatching(remedy),
      }),
    ]);
    await set(setting, good);
  });

  test('synchronous_commit = off: what the ledger promises is flushed all the same', async () => {
    await set('synchronous_commit', 'off');
    const ledger = space.ledger();
    await space.query(`CREATE TABLE :schema.seen (state text, setting text)`);
    await space.query(
      `CREATE FUNCTION :schema.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO :schema.seen VALUES (new.state, current_setting('synchronous_commit'));
         RETURN new; END $$`,
    );
    await space.query(
      `CREATE TRIGGER note AFTER INSERT OR UPDATE ON :schema.records
       FOR EACH ROW EXECUTE FUNCTION :schema.note()`,
    );
    const first = attempt();
    await ledger.claim(first);
    await ledger.dispatch(first);
    await ledger.settle({ ...first, outcome: 'sent' });
    expect(await space.query('SELECT * FROM :schema.seen')).toEqual([
      { state: 'claimed', setting: 'off' },
      { state: 'dispatched', setting: 'on' },
      { state: 'sent', setting: 'on' },
    ]);
    await set('synchronous_commit', 'on');
  });

  test('an unlogged table is a warning', async () => {
    await space.query('ALTER TABLE :schema.records SET UNLOGGED');
    expect(await examine()).toMatchObject([{ check: 'unlogged', severity: 'warning' }]);
    await space.query('ALTER TABLE :schema.records SET LOGGED');
  });

  test('a server that does not answer is a finding, not an error', async () => {
    const url = new URL(server.url);
    url.port = '1';
    const ledger = space.ledger(space.pool(url.href));
    expect(await ledger.doctor()).toMatchObject([{ check: 'connection', severity: 'error' }]);
  });

  test('fsync off, as on the server of the tests, is a warning', async () => {
    const careless = await startPostgres();
    const there = openSchema('careless', careless.url);
    expect(await there.ledger().doctor()).toMatchObject([{ check: 'fsync', severity: 'warning' }]);
    await there.close();
    await careless.stop();
  });
});
