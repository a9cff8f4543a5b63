import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { attempt, errorOf, openSchema } from './database.ts';
import { findPgBouncer, type PgBouncer, type PoolMode, startPgBouncer } from './pgbouncer.ts';

const space = openSchema('pooler');
let bouncer: PgBouncer | undefined;
let reason = '';
beforeAll(async () => {
  bouncer = await findPgBouncer().catch((error: Error) => {
    reason = `no PgBouncer here: ${error.message}`;
    return undefined;
  });
});
afterAll(async () => {
  await space.close();
  await bouncer?.remove();
});

async function behind(mode: PoolMode, skip: (why: string) => never): Promise<string> {
  if (!bouncer) return skip(reason);
  const { url, stop } = await startPgBouncer(bouncer, space.url, mode);
  onTestFinished(stop);
  return url;
}

describe.each(['transaction', 'statement'] as const)('PgBouncer in %s mode', (mode) => {
  test('is refused at the start, before anything is created, and the error says why', async ({
    skip,
  }) => {
    const pool = space.pool(await behind(mode, skip), { max: 5 });
    onTestFinished(() => pool.end());
    const ledger = space.ledger(pool);
    onTestFinished(() => ledger.close());
    const error = await errorOf(ledger.ready());
    expect(error).toMatchObject({ code: 'SENDONCE_OPTION', option: 'pool' });
    expect(error.message).toMatch(/PgBouncer.*advisory lock of the session.*Connect.*directly/s);
    expect(await errorOf(ledger.claim(attempt()))).toMatchObject({ code: 'SENDONCE_OPTION' });
    expect(await ledger.doctor()).toMatchObject([{ check: 'pooler', severity: 'error' }]);
    const [schema] = await space.query(
      'SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = $1',
      [space.schema],
    );
    expect(schema).toEqual({ count: 0 });
  });
});

test('PgBouncer starts for a DATABASE_URL without a password', async ({ skip }) => {
  if (!bouncer) return skip(reason);
  const { stop } = await startPgBouncer(
    bouncer,
    'postgres://postgres@127.0.0.1/postgres',
    'session',
  );
  await stop();
});

test('PgBouncer in session mode works', async ({ skip }) => {
  const pool = space.pool(await behind('session', skip), { max: 5 });
  onTestFinished(() => pool.end());
  const ledger = space.ledger(pool);
  onTestFinished(() => ledger.close());
  const key = deriveKey(createToken());
  expect(await perform(() => 'sent', { ledger, key })).toMatchObject({ state: 'sent' });
  expect(await perform(() => 'sent', { ledger, key })).toMatchObject({ state: 'duplicate' });
  const held = attempt();
  await ledger.claim(held);
  expect(await space.sessions()).toHaveLength(1);
  expect((await space.ledger().claim(attempt({ key: held.key }))).state).toBe('busy');
});

test('a backend that is not the one of the lock is refused by the server itself', async () => {
  // As behind a pooler that passed the first look.
  const ledger = space.ledger();
  await ledger.ready();
  const [{ pid } = { pid: 0 }] = await space.query<{ pid: number }>('SELECT pg_backend_pid() pid');
  const text = `SELECT * FROM :schema.act($1, 7, true, '[]', 1)`;
  expect(await errorOf(space.query(text, [pid + 1]))).toMatchObject({ code: 'SND01' });
});
