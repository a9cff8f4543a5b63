import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { migratePostgres, postgresLedger } from '@sendonce/postgres';
import { dropSchema, eventually, namespace, startRedis } from '@sendonce/testkit';
import { databaseUrl, redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';
import { bring, startScene } from './scene.ts';

const NOTHING_KNOWN = 4;

const commands: readonly (readonly string[])[] = [
  ['status'],
  ['doubts'],
  ['show', 'notice', '1'],
  ['resolve', 'notice', '1', '--sent', '--yes'],
];

/** What is printed for people, in one line. */
const inOneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

const withPassword = (url: string) => url.replace('://', '://default:S3CRET@');

describe('a place where nothing is known', () => {
  let address: string;
  beforeAll(() => void (address = new URL(redisUrl()).host));

  test.each(commands)('%s says so, what was looked at, and what to check', async (...command) => {
    const scene = startScene();
    const { code, out, err } = await run([...command, ...scene.where]);
    expect([code, out]).toEqual([NOTHING_KNOWN, '']);
    expect(inOneLine(err)).toContain(
      `Nothing is known at Redis at ${address}, database 0, prefix ${scene.prefix}.`,
    );
    expect(inOneLine(err)).toMatch(/Check .*database number.*--prefix/);
  });

  test.each(commands)('%s --json says the same', async (...command) => {
    const scene = startScene();
    const { code, out } = await run([...command, '--json', ...scene.where]);
    expect(code).toBe(NOTHING_KNOWN);
    const location = `Redis at ${address}, database 0, prefix ${scene.prefix}`;
    expect(JSON.parse(out)).toMatchObject({
      nothingKnown: { location, check: expect.stringContaining('--prefix') as unknown },
    });
  });

  test('the doctor warns of it, also in JSON', async () => {
    const scene = startScene();
    const { code, out } = await run(['doctor', ...scene.where]);
    expect(code).toBe(1);
    expect(inOneLine(out)).toContain(`Nothing is known at Redis at ${address}, database 0`);
    const { findings } = JSON.parse((await run(['doctor', '--json', ...scene.where])).out);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'nothing-known' }));
    await scene.email('sent', 1);
    expect((await run(['doctor', ...scene.where])).out).not.toContain('Nothing is known');
  });

  test('watch says it once, waits for the first email, and ends with that code if none came', async () => {
    const scene = startScene();
    const watch = (stopped: AbortSignal) =>
      run(['watch', '--every', '0.1', '--json', ...scene.where], { stopped, onOut: count });
    let lines = 0;
    const count = () => void lines++;
    const stop = new AbortController();
    const empty = watch(stop.signal);
    await eventually(() => expect(lines).toBe(1), { timeoutMs: 10_000 });
    stop.abort();
    const ended = await empty;
    expect(ended.code).toBe(NOTHING_KNOWN);
    expect(ended.err.match(/Nothing is known/g)).toHaveLength(1);
    expect(JSON.parse(ended.out)).toMatchObject({ nothingKnown: {} });

    const [later, begun] = [new AbortController(), lines];
    const filling = watch(later.signal);
    await eventually(() => expect(lines).toBe(begun + 1), { timeoutMs: 10_000 });
    await scene.email('in-doubt', 1);
    await eventually(() => expect(lines).toBe(begun + 2), { timeoutMs: 10_000 });
    later.abort();
    const { code, out } = await filling;
    expect(code).toBe(0);
    expect(JSON.parse(out.split('\n').at(-1)!)).not.toHaveProperty('nothingKnown');
  });

  test('watch on a terminal says so, and shows no zeros', async () => {
    const scene = startScene();
    const stop = new AbortController();
    const options = { columns: 80, stopped: stop.signal, onOut: () => stop.abort() };
    const { code, out } = await run(['watch', ...scene.where], options);
    expect(code).toBe(NOTHING_KNOWN);
    expect(inOneLine(out)).toMatch(/Nothing is known at .*Waiting for the first email/);
    expect(out).not.toMatch(/sending|in doubt/);
  });

  test('another database of the same server, and a password that is not shown', async () => {
    const server = await startRedis({ args: ['--requirepass', 'S3CRET'] });
    const url = withPassword(server.url);
    const client = new Redis(url);
    onTestFinished(async () => {
      client.disconnect();
      await server.stop();
    });
    // Other keys are there, of which one begins like a prefix.
    await client.mset('sendonce-shop:{a}x', '1', 'bull:notices:meta', '1');
    const { code, err } = await run(['status', '--redis', `${url}/7`]);
    expect(code).toBe(NOTHING_KNOWN);
    expect(inOneLine(err)).toContain(`${new URL(url).host}, database 7, prefix sendonce.`);
    expect(err).not.toContain('S3CRET');
    expect((await run(['status', '--redis', url])).code).toBe(NOTHING_KNOWN);
    expect((await run(['status', '--redis', url, '--prefix', '*'])).code).toBe(NOTHING_KNOWN);
  });

  test('redlock: all nodes are looked at', async () => {
    const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
    onTestFinished(async () => void (await Promise.all(servers.map(({ stop }) => stop()))));
    const hosts = servers.map(({ url }) => new URL(url).host);
    const where = ['--redlock', servers.map(({ url }) => `${url}/2`).join(',')];
    const { code, err } = await run(['doubts', ...where]);
    expect(code).toBe(NOTHING_KNOWN);
    for (const host of hosts) expect(err).toContain(`${host}/2`);
  });

  test('PostgreSQL: another schema', async () => {
    const schema = namespace('cli');
    const pool = new Pool({ connectionString: databaseUrl() });
    onTestFinished(async () => {
      await pool.end();
      await dropSchema(databaseUrl(), schema);
    });
    await migratePostgres(pool, { schema });
    const where = ['--postgres', databaseUrl(), '--schema', schema];
    const { code, err } = await run(['status', ...where]);
    expect(code).toBe(NOTHING_KNOWN);
    const { hostname, port, pathname, password } = new URL(databaseUrl());
    expect(inOneLine(err)).toContain(
      `PostgreSQL at ${hostname}:${port}, database ${pathname.slice(1)}, schema ${schema}.`,
    );
    expect(inOneLine(err)).toMatch(/Check .*--schema/);
    if (password !== '') expect(err).not.toContain(`:${password}@`);

    const ledger = postgresLedger(pool, { schema });
    const attempt = { key: deriveKey(['notice', 1]), token: createToken() };
    await bring(ledger, 'sent', { ...attempt, leaseMs: 30_000, retentionMs: 600_000 });
    await ledger.close();
    expect((await run(['status', ...where])).code).toBe(0);
    expect((await run(['show', 'notice', '2', ...where])).code).toBe(1);
  });
});

describe('a place where something is known', () => {
  test.each(['sent', 'cancelled', 'claimed'] as const)('one email that is %s', async (state) => {
    const scene = startScene();
    const attempt = { key: deriveKey(['notice', 1]), token: createToken() };
    // Without a journal, nothing counts it.
    await bring(scene.ledger, state, { ...attempt, leaseMs: 30_000, retentionMs: 600_000 });
    expect((await run(['status', ...scene.where])).code).toBe(0);
    const doubts = await run(['doubts', ...scene.where]);
    expect([doubts.code, doubts.out]).toEqual([0, 'No email is in doubt.']);
    expect((await run(['show', 'notice', '2', ...scene.where])).code).toBe(1);
  });

  test('only a scheduled email: the journal knows it', async () => {
    const scene = startScene();
    const step = { key: deriveKey(['notice', 1]), atMs: Date.now(), dueMs: Date.now() + 60_000 };
    scene.journal.write({ ...step, type: 'scheduled' });
    await scene.journal.flush();
    expect((await run(['status', ...scene.where])).code).toBe(0);
  });

  test('a journal that counted nothing is no table of zeros', async () => {
    const scene = startScene();
    await scene.email('sent', 1);
    const journal = `${redisUrl().replace(/\/\d*$/, '')}/9`;
    const { code, out } = await run(['status', ...scene.where, '--journal', journal]);
    expect(code).toBe(0);
    expect(inOneLine(out)).toMatch(
      /The journal at Redis at .*, database 9, .* has counted nothing/,
    );
    expect(out).not.toMatch(/sent +0/);
  });
});
