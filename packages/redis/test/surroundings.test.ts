import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveKey, type Ledger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { freePort, type RedisProcess, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { onTestFinished, expect, test } from 'vitest';
import { redisJournal, redisLedger } from '../src/index.ts';

async function startServer(args: string[] = []): Promise<RedisProcess> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}

function connect({ host, port }: { host: string; port: number }, options: object = {}): Redis {
  const client = new Redis(port, host, { maxRetriesPerRequest: null, ...options });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** Every verb of a ledger, each with an effect that can be seen. */
async function useAllVerbs(ledger: Ledger): Promise<void> {
  const start = () => ({
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 60_000,
  });
  const [sent, doubtful, cancelled, released, skipped] = [
    start(),
    start(),
    start(),
    start(),
    start(),
  ];
  expect(await ledger.claim(sent)).toEqual({ state: 'won' });
  expect((await ledger.claim({ ...sent, token: createToken() })).state).toBe('busy');
  expect(await ledger.heartbeat([sent])).toEqual(['kept']);
  expect(await ledger.dispatch(sent)).toEqual({ state: 'dispatched' });
  expect(await ledger.heartbeat([sent])).toEqual(['kept']);
  expect(await ledger.settle({ ...sent, outcome: 'sent' })).toEqual({ state: 'settled' });
  expect(await ledger.claim({ ...doubtful, dispatched: true })).toEqual({ state: 'won' });
  await ledger.settle({ ...doubtful, outcome: 'in-doubt' });
  const listed = [];
  for await (const { key } of ledger.list({ state: 'in-doubt' })) listed.push(key);
  expect(listed).toEqual([doubtful.key]);
  expect(await ledger.resolve({ ...doubtful, verdict: 'sent', by: 'ada' })).toEqual({
    state: 'resolved',
  });
  expect(await ledger.cancel(cancelled)).toEqual({ state: 'cancelled' });
  await ledger.claim(released);
  expect(await ledger.release(released)).toEqual({ state: 'released' });
  await ledger.claim(skipped);
  expect(await ledger.settle({ ...skipped, outcome: 'skipped', note: 'unsubscribed' })).toEqual({
    state: 'settled',
  });
  const states = [sent, doubtful, cancelled, released, skipped].map(({ key }) => ledger.read(key));
  expect((await Promise.all(states)).map((record) => record?.state)).toEqual([
    'sent',
    'sent',
    'cancelled',
    undefined,
    'skipped',
  ]);
}

async function useJournal(client: Redis): Promise<void> {
  const journal = redisJournal(client);
  const key = deriveKey(createToken());
  journal.write({ key, type: 'sent', atMs: Date.now(), label: key });
  await journal.flush();
  expect(await journal.history(key)).toHaveLength(1);
  expect(await journal.find(key)).toEqual([key]);
  expect((await journal.counts(Date.now())).at(-1)?.counts.sent).toBeGreaterThan(0);
}

async function askDoctor(ledger: Ledger): Promise<void> {
  const findings = (await ledger.doctor?.()) ?? [];
  expect(findings.filter(({ found }) => found.includes('INFO'))).toEqual([]);
}

const email = (ledger: Ledger, effect: () => unknown = () => {}) =>
  perform(effect, { ledger, key: deriveKey(createToken()), leaseMs: 3_000, retentionMs: 60_000 });

test('the rights that the README lists are enough for all verbs and the journal, and each is needed', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, line = ''] = /```text\nACL SETUSER (.*)\n```/.exec(readme) ?? [];
  const words = line.split(' ');
  const server = await startServer();
  const admin = connect(server);
  await admin.call('ACL', 'SETUSER', ...words);
  const login = { username: 'sendonce', password: 'PASSWORD' };
  const client = connect(server, login);
  await useAllVerbs(redisLedger(client));
  await useJournal(client);

  for (const word of words.filter((name) => name.startsWith('+'))) {
    await admin.call('ACL', 'SETUSER', 'sendonce', word.replace('+', '-'));
    // A server that knows a script already is not asked to EVAL it.
    await admin.script('FLUSH');
    const ledger = redisLedger(client);
    const used = [useAllVerbs(ledger), useJournal(client), askDoctor(ledger)];
    const ended = await Promise.allSettled(used);
    expect([word, ended.some(({ status }) => status === 'rejected')]).toEqual([word, true]);
    await admin.call('ACL', 'SETUSER', 'sendonce', word);
  }
}, 60_000);

test('a user without rights sends nothing, and the error says which rights are needed', async () => {
  const server = await startServer();
  await connect(server).call('ACL', 'SETUSER', 'poor', 'on', '>x', '~other:*', '+@all');
  const ledger = redisLedger(connect(server, { username: 'poor', password: 'x' }));
  let sent = 0;
  await expect(email(ledger, () => (sent += 1))).rejects.toThrow(
    /refused a command \(NOPERM.*lists under "Rights"/s,
  );
  expect(sent).toBe(0);
});

test('a renamed command sends nothing, and the error names it', async () => {
  const server = await startServer(['--rename-command', 'EVALSHA', 'hidden']);
  let sent = 0;
  await expect(email(redisLedger(connect(server)), () => (sent += 1))).rejects.toThrow(
    /refused a command \(ERR unknown command .*rename-command/s,
  );
  expect(sent).toBe(0);
});

test('a full memory refuses new emails and says so; the outcome of one that is being sent is recorded', async () => {
  const server = await startServer(['--maxmemory-policy', 'noeviction']);
  const admin = connect(server);
  const ledger = redisLedger(connect(server));
  const performed = await email(ledger, async () => {
    await admin.config('SET', 'maxmemory', '1');
  });
  expect(performed.state).toBe('sent');
  await expect(email(ledger, () => expect.unreachable())).rejects.toThrow(
    /refused a command \(OOM.*Raise its maxmemory/s,
  );
  await admin.config('SET', 'maxmemory', '0');
  expect((await email(ledger)).state).toBe('sent');
});

test('over TLS all verbs work', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const port = await freePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  await startServer(['--tls-port', String(port), ...files, '--tls-auth-clients', 'no']);
  const client = connect({ host: '127.0.0.1', port }, { tls: { ca: await readFile(cert) } });
  await useAllVerbs(redisLedger(client));
});

test('a server that takes a second for each command sends each email once', async () => {
  const server = await startServer();
  const slow = await startSlowLink(server);
  const ledger = redisLedger(connect(slow));
  const key = deriveKey(createToken());
  let sent = 0;
  // Copies that meet it, and a lease that is shorter than the whole email.
  const options = { ledger, key, leaseMs: 10_000, retentionMs: 60_000, waitMs: 15_000 };
  const copies = await Promise.all([1, 2, 3].map(() => perform(() => (sent += 1), options)));
  expect(sent).toBe(1);
  expect(copies.map(({ state }) => state).toSorted()).toEqual(['duplicate', 'duplicate', 'sent']);
}, 60_000);

/** Passes everything on one second later. */
async function startSlowLink(target: { host: string; port: number }) {
  const server = createServer((client) => {
    const upstream = createConnection(target);
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), 1_000));
      from.on('error', () => {}).on('close', () => to.destroy());
    };
    pass(client, upstream);
    upstream.on('data', (bytes) => client.write(bytes));
    upstream.on('error', () => {}).on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('a client that was closed is named as the cause, and not the rights of its user', async () => {
  const server = await startServer();
  const client = connect(server);
  await client.quit();
  await expect(email(redisLedger(client))).rejects.toThrow(
    /the client of the ledger was closed.*Close the workers first/s,
  );
});
