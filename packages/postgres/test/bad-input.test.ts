import { inspect } from 'node:util';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migratePostgres, postgresLedger } from '../src/index.ts';
import { attempt, errorOf, openSchema } from './database.ts';

const space = openSchema('input');
afterAll(() => space.close());
const ledger = space.ledger();
beforeAll(() => ledger.ready());

describe('bad input', () => {
  const pool = new Pool({ connectionString: space.url });

  test.each([undefined, null, 'postgres://127.0.0.1', {}, { query() {} }])(
    'an invalid pool is refused: %s',
    async (wrong) => {
      expect(() => postgresLedger(wrong as never)).toThrow(/Expected "pool" to be a pool of pg/);
      expect(await errorOf(migratePostgres(wrong as never))).toMatchObject({ option: 'pool' });
    },
  );

  test('a single Client and a pool of one connection are refused', () => {
    expect(() => postgresLedger(new Client() as never)).toThrow(/got a single Client/);
    expect(() => postgresLedger(new Pool({ max: 1 }))).toThrow(/at least two connections/);
  });

  test.each([
    ['schema', ''],
    ['schema', 7],
    ['schema', 'pg_mail'],
    ['schema', 'a$$b'],
    ['schema', 'public'],
    ['schema', 'information_schema'],
    ['schema', 'ü'.repeat(32)],
    ['schema', 'a\u0000b'],
    ['migrate', 'yes'],
    ['intervalMs', 0],
    ['intervalMs', 2 ** 31],
    ['answerWithinMs', '5s'],
    ['leaseMs', 1000],
  ])('an option that is wrong is refused by its name: %s: %s', (option, value) => {
    const create = () => postgresLedger(pool, { [option]: value });
    expect(create).toThrow(expect.objectContaining({ code: 'SENDONCE_OPTION', option }));
  });

  test.each(['a$$b', 'public', 'information_schema', 'pg_toast'])(
    'the schema %s is refused before anything is connected, and the error shows it',
    async (schema) => {
      const shown = `not beginning with "pg_". Got "${schema}".`;
      expect(() => postgresLedger(pool, { schema })).toThrow(shown);
      expect((await errorOf(migratePostgres(pool, { schema }))).message).toContain(shown);
      expect(pool.totalCount).toBe(0);
    },
  );

  test.each([null, 7, 'schema'])('options that are none are refused: %s', (options) => {
    expect(() => postgresLedger(pool, options as never)).toThrow(/Expected "options"/);
  });

  test('nothing is connected before the first verb', () => {
    postgresLedger(pool);
    expect(pool.totalCount).toBe(0);
  });

  test('an error shows no result of a processor, and leaves no listener in the pool', async () => {
    const ended = space.pool();
    await ended.end();
    const own = space.ledger(ended);
    const result = '"secret@example.org"';
    const error = await errorOf(own.settle({ ...attempt(), outcome: 'sent', result }));
    expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    await space.query(
      'ALTER TABLE :schema.records ADD CONSTRAINT no_result CHECK (result IS NULL) NOT VALID',
    );
    const refused = await errorOf(ledger.settle({ ...attempt(), outcome: 'sent', result }));
    await space.query('ALTER TABLE :schema.records DROP CONSTRAINT no_result');
    expect(refused).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    for (const shown of [error, refused]) {
      expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain('secret');
    }
    expect(ended.eventNames()).toEqual(['error']);
  });
});
