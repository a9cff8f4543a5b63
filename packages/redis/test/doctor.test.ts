import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('doctor');
let server: Awaited<ReturnType<typeof startRedis>>;
let admin: ReturnType<typeof space.connect>;

beforeAll(async () => {
  server = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  admin = space.connect({}, server.url);
});
afterAll(async () => {
  await space.close();
  await server.stop();
});
beforeEach(async () => {
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
  await admin.config('SET', 'appendonly', 'yes');
  await admin.config('SET', 'appendfsync', 'always');
});
afterEach(() => vi.restoreAllMocks());

const examine = () => redisLedger(admin).doctor!();

test('a server that keeps what it acknowledges gives no findings, and nothing is left in it', async () => {
  expect(await examine()).toEqual([]);
  expect(await admin.dbsize()).toBe(0);
});

test.each([
  [
    'eviction',
    'maxmemory-policy',
    'allkeys-lru',
    'error',
    /CONFIG SET maxmemory-policy noeviction/,
  ],
  ['persistence', 'appendonly', 'no', 'warning', /appendonly yes/],
  ['persistence', 'appendfsync', 'everysec', 'info', /appendfsync always/],
] as const)('%s: %s %s is an %s', async (check, setting, value, severity, remedy) => {
  await admin.config('SET', setting, value);
  expect(await examine()).toEqual([
    expect.objectContaining({ check, severity, remedy: expect.stringMatching(remedy) }),
  ]);
});

test('the doctor names the rights that a user lacks who may not run scripts', async () => {
  await admin.call('ACL', 'SETUSER', 'mail', 'on', '>secret', '~*', '+@all', '-evalsha', '-eval');
  const url = server.url.replace('redis://', 'redis://mail:secret@');
  const [finding] = await redisLedger(space.connect({}, url)).doctor!();
  expect(finding).toMatchObject({ check: 'scripts', severity: 'error' });
  expect(finding!.remedy).toContain('"Rights"');
  expect(JSON.stringify(finding)).not.toContain('secret');
});

test('a replica is refused, and a master with replicas is advised to use durability', async ({
  onTestFinished,
}) => {
  const replica = await startRedis({ args: ['--replicaof', server.host, String(server.port)] });
  onTestFinished(() => replica.stop());
  const client = space.connect({}, replica.url);
  await expect
    .poll(() => client.info('replication'), { timeout: 15_000 })
    .toContain('master_link_status:up');
  const ofReplica = await redisLedger(client).doctor!();
  expect(ofReplica.map(({ check, severity }) => `${check} ${severity}`)).toEqual(
    expect.arrayContaining(['scripts error', 'role error']),
  );
  expect((await examine()).map(({ check }) => check)).toEqual(['replicas']);
  const durable = (replicas: number) => redisLedger(admin, { durability: { replicas } }).doctor!();
  expect(await durable(1)).toEqual([]);
  expect(await durable(2)).toEqual([
    expect.objectContaining({
      severity: 'error',
      check: 'durability',
      found: 'durability.replicas is 2, and 1 replicas are connected: no email leaves.',
    }),
  ]);
});

test('durability.fsync is refused where there is no WAITAOF or no append-only file', async ({
  skip,
}) => {
  const durable = () => redisLedger(admin, { durability: { fsync: true } }).doctor!();
  await admin.config('SET', 'appendonly', 'no');
  const refusals = await durable();
  expect(refusals).toEqual([expect.objectContaining({ severity: 'error', check: 'durability' })]);
  expect(refusals[0]!.remedy).toContain('appendonly yes');
  const known = (await admin.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
  skip(!known[0], 'this server has no WAITAOF');
  await admin.config('SET', 'appendonly', 'yes');
  await admin.config('SET', 'appendfsync', 'everysec');
  // And it does not recommend what is set already.
  expect(await durable()).toEqual([]);
  await admin.config('SET', 'appendfsync', 'no');
  expect(await durable()).toEqual([
    expect.objectContaining({ severity: 'error', remedy: expect.stringContaining('always') }),
  ]);
});

test('the doctor finds a user who may not wait', async () => {
  await admin.call('ACL', 'SETUSER', 'hasty', 'on', '>secret', '~*', '+@all', '-wait');
  const url = server.url.replace('redis://', 'redis://hasty:secret@');
  const ledger = redisLedger(space.connect({}, url), { durability: { replicas: 1 } });
  expect(await ledger.doctor!()).toContainEqual(
    expect.objectContaining({ check: 'durability', remedy: expect.stringContaining('+wait') }),
  );
});

test('the first email warns of errors and warnings, once for each ledger', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await admin.config('SET', 'appendfsync', 'everysec');
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const ledger = redisLedger(admin);
  await perform(async () => 'sent', { ledger, key: deriveKey(createToken()) });
  await perform(async () => 'sent', { ledger, key: deriveKey(createToken()) });
  await expect.poll(() => warn.mock.calls.length).toBe(1);
  expect(warn.mock.calls[0]).toEqual([
    expect.stringMatching(/eviction.*allkeys-lru.*noeviction/s),
    { type: 'SendonceWarning', code: 'SENDONCE_DOCTOR' },
  ]);
});
