import { once } from 'node:events';
import { createServer } from 'node:net';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deleteNamespace, freePort, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { arrivingFor, ask, killRunning, startApp, startHalf, type Started } from './app.ts';

const ns = namespace('bad-notice');
const templates = await mkdtemp(join(tmpdir(), 'sendonce-templates-'));
let api: Started;
let url: string;

beforeAll(async () => {
  await cp(fileURLToPath(new URL('../templates', import.meta.url)), templates, { recursive: true });
  // Fails for an order without items only: the name of a field that there is not.
  await writeFile(
    join(templates, 'html.mustache'),
    '{{#each items}}{{this}}{{else}}\n{{nickname}}{{/each}}',
  );
  // The API alone: nothing of this comes to a worker.
  api = await startHalf('api', { REDIS_URL: redisUrl(), NAMESPACE: ns, TEMPLATES: templates });
  url = await api.url();
});

afterAll(async () => {
  expect(await api.end('SIGTERM')).toBe(0);
  await rm(templates, { recursive: true });
  await deleteNamespace(redisUrl(), ns);
  killRunning();
  expect(api.output().trim()).toBe(url);
});

const good = {
  to: 'secret@customer.example',
  name: 'Secret',
  items: ['1 secret'],
  arrivesAt: arrivingFor(60_000),
};

test.each<[what: string, body: object, status: number, field: string]>([
  ['a line break in the address', { to: 'secret@customer.example\r\nBcc: x@y.zz' }, 400, 'to'],
  ['a line break at its end', { to: 'secret@customer.example\n' }, 400, 'to'],
  ['two addresses', { to: 'secret@customer.example, x@y.zz' }, 400, 'to'],
  ['no address', { to: 'Secret' }, 400, 'to'],
  ['a line break in the name', { name: 'Secret\r\nBcc: x@y.zz' }, 400, 'name'],
  ['an empty name', { name: '' }, 400, 'name'],
  ['a line separator in an item', { items: ['secret\u2028'] }, 400, 'items.0'],
  ['a day that there is not', { arrivesAt: '2027-02-30T10:00:00Z' }, 400, 'arrivesAt'],
  ['a time without its zone', { arrivesAt: '2027-02-20T10:00:00' }, 400, 'arrivesAt'],
  ['no date', { arrivesAt: 'secret' }, 400, 'arrivesAt'],
  ['a field that there is not', { secret: 1 }, 400, 'json'],
  ['a day that is over', { arrivesAt: '2020-01-01T00:00:00Z' }, 422, 'arrivesAt'],
  ['a day far away', { arrivesAt: '2226-11-27T00:00:00Z' }, 422, 'arrivesAt'],
  ['a template that throws', { items: [] }, 422, 'template'],
])(
  '%s: nothing is scheduled, and nothing of it is repeated',
  async (_what, wrong, status, field) => {
    const reply = await ask(url, 'PUT', 'bad', { ...good, ...wrong });
    expect(reply).toMatchObject({ status, body: { field } });
    expect(JSON.stringify(reply.body)).not.toMatch(/secret|customer/i);
    expect((await ask(url, 'GET', 'bad')).status).toBe(404);
    const redis = new Redis(redisUrl());
    // BullMQ's own, of a queue without jobs.
    expect(await redis.keys(`*${ns}*`)).toEqual([`${ns}:notices:meta`]);
    await redis.quit();
  },
);

test('a template that throws is named, with its line', async () => {
  const { body } = await ask(url, 'PUT', 'bad', { ...good, items: [] });
  expect(body['message']).toBe('The template html.mustache fails, line 2. Nothing was changed.');
});

test('a wrong date moves nothing', async () => {
  const { body } = await ask(url, 'PUT', 'good', good);
  for (const arrivesAt of ['2020-01-01T00:00:00Z', 'secret']) {
    expect((await ask(url, 'PATCH', 'good', { arrivesAt })).status).toBeGreaterThanOrEqual(400);
  }
  expect((await ask(url, 'GET', 'good')).body).toEqual(body);
});

test.each<[what: string, path: string, init: RequestInit, status: number]>([
  ['JSON that breaks off', '/orders/x/notice', { body: '{"to": "secret@' }, 400],
  [
    'a body that is no JSON',
    '/orders/x/notice',
    { body: '{}', headers: { 'content-type': 'text/plain' } },
    415,
  ],
  [
    'a body that is too large',
    '/orders/x/notice',
    { body: JSON.stringify('secret'.repeat(20_000)) },
    413,
  ],
  ['a number that is no order', '/orders/secret%0A/notice', { body: JSON.stringify(good) }, 400],
  ['an empty occurrence', '/orders/x/notice?occurrence=', { body: JSON.stringify(good) }, 400],
  ['another path', '/secret', { body: '{}' }, 404],
])('%s: a clear answer', async (_what, path, init, status) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'PUT', headers, ...init });
  const text = await response.text();
  expect(response.status).toBe(status);
  expect(JSON.parse(text)).toMatchObject({
    message: expect.stringMatching(/^Expected /) as unknown,
  });
  expect(text).not.toMatch(/secret@|secretsecret/);
});

test.each([
  ['REDIS_URL', 'redis://user:42/S3CRET@host'],
  ['REDIS_URL', 'redis://user:S3CRET@host:port'],
  ['REDIS_URL', 'smtp://user:S3CRET@host'],
  ['SMTP_URL', 'smtp://user:42/S3CRET@host'],
  ['SMTP_URL', 'redis://user:S3CRET@host'],
])(
  'a wrong %s is refused in one line without its password: %s',
  async (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must be a URL`));
    const app = await startHalf('api', { [name]: value });
    expect(await app.ended).toBe(1);
    expect(app.output()).toMatch(new RegExp(`^${name} must be a URL .*\n$`));
    expect(app.output()).not.toContain('S3CRET');
  },
  60_000,
);

test('a second start on a taken port is one line', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const env = { PORT: String(port), REDIS_URL: redisUrl() };
  const half = await startHalf('api', env);
  expect(await half.ended).toBe(1);
  expect(half.output()).toMatch(/^The port \d+ is taken: .*PORT.*\n$/);

  const smtp = 'smtp://127.0.0.1:1025';
  const app = await startApp({ ...env, SMTP_URL: smtp });
  expect(await app.ended).toBe(1);
  expect(app.output()).toMatch(/^The port \d+ is taken: .*\n$/);

  const redis = await startApp({
    REDIS_URL: '',
    SMTP_URL: smtp,
    EMBEDDED_REDIS_PORT: String(port),
    DATA_DIR: templates,
  });
  expect(await redis.ended).toBe(1);
  expect(redis.output()).toMatch(/^The port \d+ is taken: .*EMBEDDED_REDIS_PORT.*\n$/);
  other.close();
}, 120_000);
