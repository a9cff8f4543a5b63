import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { migratePostgres, postgresLedger } from '@sendonce/postgres';
import { redlockLedger } from '@sendonce/redlock';
import { dropSchema, namespace, startRedis } from '@sendonce/testkit';
import { databaseUrl, redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';
import { bring, startScene } from './scene.ts';

const attemptOf = (parts: unknown) => ({
  key: deriveKey(parts),
  token: createToken(),
  leaseMs: 30_000,
  retentionMs: 600_000,
  job: { queue: 'notices', id: '1' },
});

/** Two doubts, of which one is resolved. */
async function tryAll(ledger: Ledger, where: readonly string[]): Promise<void> {
  await bring(ledger, 'sent', attemptOf(['notice', 0]));
  expect((await run(['doubts', ...where])).code).toBe(0);
  await bring(ledger, 'in-doubt', attemptOf(['notice', 1]));
  await bring(ledger, 'in-doubt', attemptOf(['notice', 2]));
  const listed = await run(['doubts', ...where]);
  expect(listed.code).toBe(1);
  expect(listed.out).toMatch(/ETIMEDOUT/);
  expect(JSON.parse((await run(['doubts', '--json', ...where])).out).doubts).toHaveLength(2);
  const status = await run(['status', '--json', ...where]);
  expect(status.code).toBe(1);
  expect(JSON.parse(status.out)).toMatchObject({ sending: 0, inDoubt: 2, more: false });
  expect((await run(['resolve', 'notice', '1', '--sent', '--yes', ...where])).code).toBe(0);
  expect((await run(['show', 'notice', '1', ...where])).out).toMatch(/^sent \(resolved by /m);
  expect(JSON.parse((await run(['doubts', '--json', ...where])).out).doubts).toHaveLength(1);
  await bring(ledger, 'in-doubt', attemptOf(['notice', 3]));
  const all = ['resolve', '--all', '--note', 'ETIMEDOUT', '--not-sent', '--json'];
  const resolved = await run([...all, '--yes', '2', ...where]);
  expect([resolved.code, JSON.parse(resolved.out)]).toMatchObject([0, { resolved: 2 }]);
  expect((await run(['doubts', ...where])).code).toBe(0);
  await bring(ledger, 'in-doubt', attemptOf(['notice', 4]));
}

describe('each ledger', () => {
  test('Redis', async () => {
    const scene = startScene();
    await tryAll(scene.ledger, scene.where);
  });

  test('redlock, also with a node that is away', async () => {
    const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const clients = servers.map(({ url }) => new Redis(url));
    for (const client of clients) client.on('error', () => {});
    onTestFinished(async () => {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    });
    const where = ['--redlock', servers.map(({ url }) => url).join(',')];
    await tryAll(redlockLedger(clients), where);
    await servers[2].stop();
    const listed = await run(['doubts', '--json', ...where]);
    expect(JSON.parse(listed.out).doubts).toHaveLength(1);
    await servers[1].stop();
    const away = await run(['doubts', ...where]);
    expect(away.code).toBe(3);
  });

  test('PostgreSQL, whose schema it neither creates nor changes', async () => {
    const schema = namespace('cli');
    const pool = new Pool({ connectionString: databaseUrl() });
    onTestFinished(async () => {
      await pool.end();
      await dropSchema(databaseUrl(), schema);
    });
    const where = ['--postgres', databaseUrl(), '--schema', schema];
    const missing = await run(['status', ...where]);
    expect(missing.code).toBe(3);
    expect(missing.err).toMatch(/migrate/);
    const schemas = await pool.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
    expect(schemas.rowCount).toBe(0);

    await migratePostgres(pool, { schema });
    const ledger = postgresLedger(pool, { schema });
    await tryAll(ledger, where);
    const counted = await run(['status', ...where]);
    expect(counted.out).toMatch(/counted by a journal/);
    await ledger.close();

    await pool.query(`INSERT INTO "${schema}".migrations (version) VALUES (99)`);
    const newer = await run(['status', ...where]);
    expect([newer.code, newer.out]).toEqual([3, '']);
  });

  test('a record of a newer version is a clear line, and stays as it is', async () => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 1);
    const place = `${scene.prefix}:{${key[0]}}${key.slice(1)}`;
    await scene.client.set(place, 'v2 of another form');
    const { key: other } = await scene.email('in-doubt', 2);
    for (const command of [['doubts'], ['status'], ['status', '--json']]) {
      // It does not hide the others.
      expect((await run([...command, ...scene.where])).out).toMatch(
        /ETIMEDOUT|in doubt +1,|"inDoubt":1/,
      );
    }
    expect((await run(['doubts', ...scene.where])).out).toContain(other);
    for (const command of [['show', 'notice', '1'], ['doubts'], ['status']]) {
      const { code, err } = await run([...command, ...scene.where]);
      expect([command, code]).toEqual([command, 3]);
      expect(err).toMatch(/cannot be read/);
    }
    expect(await scene.client.get(place)).toBe('v2 of another form');
  });

  test('a server that is away is a clear line without its password, and exit code 3', async () => {
    for (const command of [['status'], ['doubts'], ['show', 'a'], ['doctor'], ['watch']]) {
      const { code, out, err } = await run([
        ...command,
        '--redis',
        'redis://me:secret@127.0.0.1:1/3',
      ]);
      expect([command, code, out]).toEqual([command, 3, '']);
      expect(err).toMatch(/Redis at 127\.0\.0\.1:1, database 3 does not answer \(ECONNREFUSED\)/);
      expect(err).not.toContain('secret');
    }
    const { code, err } = await run(['status', '--postgres', 'postgres://me:secret@127.0.0.1:1/x']);
    expect(code).toBe(3);
    expect(err).not.toContain('secret');
  });
});

describe('where the ledger is', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'sendonce-cli-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  test('is named by the environment', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    const env = { SENDONCE_REDIS: redisUrl(), SENDONCE_PREFIX: scene.prefix };
    expect((await run(['doubts'], { env })).code).toBe(1);
    expect((await run(['doubts', '--prefix', `${scene.prefix}:other`], { env })).code).toBe(4);
    const misspelt = { SENDONCE_REDIS: redisUrl(), SENDONCE_PREFX: scene.prefix };
    const { code, err } = await run(['doubts'], { env: misspelt });
    expect([code, err]).toEqual([2, expect.stringContaining('Did you mean SENDONCE_PREFIX?')]);
  });

  test('is named by sendonce.config.json here', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    const here = folder();
    const config = { redis: redisUrl(), prefix: scene.prefix };
    writeFileSync(join(here, 'sendonce.config.json'), JSON.stringify(config));
    expect((await run(['doubts'], { folder: here })).code).toBe(1);
    writeFileSync(join(here, 'sendonce.config.json'), JSON.stringify({ rediss: 'x' }));
    const wrong = await run(['doubts'], { folder: here });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/"rediss" is not understood/);
  });

  test.each([
    ['[]', 'is not understood. Expected an object with texts under redis,'],
    ['3', 'is not understood. Expected an object'],
    ['null', 'is not understood. Expected an object'],
    ['"redis"', 'is not understood. Expected an object'],
    ['{"toString":"x"}', '"toString" is not understood. Expected texts under redis,'],
    ['{"__proto__":"x"}', '"__proto__" is not understood.'],
    ['{"config":"x"}', '"config" is not understood.'],
    ['{"redis":""}', '"redis" is not understood.'],
    [
      '{"redis":"redis://127.0.0.1:1","postgres":"postgres://127.0.0.1:1/x"}',
      'redis and postgres name several ledgers: give one.',
    ],
  ])('a sendonce.config.json of %s is a wrong command line', async (text, message) => {
    const here = folder();
    writeFileSync(join(here, 'sendonce.config.json'), text);
    const { code, err } = await run(['doubts'], { folder: here, columns: 400 });
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([['--redis', ''], ['--redis='], ['--config', '']])(
    'an empty option does not fall back to the configuration here: %j',
    async (...words) => {
      const scene = startScene();
      await scene.email('in-doubt', 1);
      const here = folder();
      const config = { redis: redisUrl(), prefix: scene.prefix };
      writeFileSync(join(here, 'sendonce.config.json'), JSON.stringify(config));
      const { code, out, err } = await run(['doubts', ...words], { folder: here });
      expect([code, out, err]).toEqual([
        2,
        '',
        expect.stringMatching(/^Option --\w+ has an empty/),
      ]);
    },
  );

  test('is made by a module', async () => {
    const here = folder();
    const file = join(here, 'sendonce.config.mjs');
    writeFileSync(
      file,
      `import { memoryLedger } from ${JSON.stringify(import.meta.resolve('@sendonce/core'))};
       export default { ledger: memoryLedger(), close() { globalThis.closedByCli = true; } };`,
    );
    expect(await run(['doubts'], { folder: here })).toMatchObject({
      code: 0,
      out: 'No email is in doubt.',
    });
    expect((globalThis as { closedByCli?: boolean }).closedByCli).toBe(true);
    writeFileSync(join(here, 'empty.mjs'), 'export {};');
    const empty = await run(['doubts', '--config', 'empty.mjs'], { folder: here });
    expect([empty.code, empty.err]).toEqual([2, expect.stringMatching(/no default export/)]);
  });

  test('a module with a journal: where nothing is open or counted, nothing is known', async () => {
    const here = folder();
    const file = join(here, 'sendonce.config.mjs');
    writeFileSync(
      file,
      `import { memoryLedger } from ${JSON.stringify(import.meta.resolve('@sendonce/core'))};
       const journal = { write() {}, flush: async () => {}, history: async () => [], find: async () => [], counts: async () => [] };
       export default { ledger: memoryLedger(), journal };`,
    );
    const { code, err } = await run(['doubts'], { folder: here });
    expect(code).toBe(4);
    expect(err.replaceAll(/\s+/g, ' ')).toContain(`Nothing is known at ${file}.`);
  });

  test.each([
    ['nowhere', [], /Where is the ledger\?/],
    ['twice', ['--redis', 'redis://a', '--postgres', 'postgres://b'], /several ledgers/],
    [
      'by what is no URL',
      ['--redis', '127.0.0.1:6379'],
      /Expected --redis to be the URL of a Redis/,
    ],
    ['by a file that is not there', ['--config', 'none.mjs'], /There is no /],
  ])('given %s is a wrong command line', async (_, where, message) => {
    const { code, err } = await run(['status', ...where], { folder: folder() });
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
