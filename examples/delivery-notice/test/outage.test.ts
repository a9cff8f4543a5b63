import {
  deleteNamespace,
  eventually,
  namespace,
  startRedis,
  startTcpProxy,
} from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { afterAll, expect, test } from 'vitest';
import { arrivingFor, ask, killRunning, startApp, startMailbox } from './app.ts';

afterAll(killRunning);

const order = (to: string) => ({ to, name: 'Ann', arrivesAt: arrivingFor(500) });

test('Redis is down: 503, when to come back, and that nothing was scheduled', async () => {
  const redis = await startRedis({ appendOnly: true });
  const { smtp, countTo } = await startMailbox();
  const app = await startApp({ REDIS_URL: redis.url, SMTP_URL: smtp.url });
  const url = await app.url();
  const kept = order('kept@example.org');
  expect((await ask(url, 'PUT', 'kept', { ...kept, arrivesAt: arrivingFor(60_000) })).status).toBe(
    201,
  );

  await redis.kill();
  const body = order('new@example.org');
  const down = await ask(url, 'PUT', 'new', body);
  expect(down).toMatchObject({
    status: 503,
    body: { message: 'Redis does not answer. Nothing was scheduled.' },
  });
  expect(down.headers.get('retry-after')).toBe('5');
  for (const method of ['GET', 'DELETE'] as const) {
    expect((await ask(url, method, 'kept')).status).toBe(503);
  }
  const { arrivesAt } = order('');
  expect((await ask(url, 'PATCH', 'kept', { arrivesAt })).status).toBe(503);
  expect(countTo('new@example.org')).toBe(0);

  await redis.restart();
  await eventually(
    async () => {
      expect([200, 201]).toContain((await ask(url, 'PUT', 'new', body)).status);
      expect((await ask(url, 'PATCH', 'kept', { arrivesAt: arrivingFor(0) })).status).toBe(200);
    },
    { timeoutMs: 15_000, everyMs: 500 },
  );
  await eventually(() => expect(smtp.received).toHaveLength(2), { timeoutMs: 15_000 });
  expect([countTo('new@example.org'), countTo('kept@example.org')]).toEqual([1, 1]);
  await app.end('SIGTERM');
  expect(app.output()).not.toContain('example.org"}');
  await smtp.close();
  await redis.stop();
}, 60_000);

test('Redis took it and did not answer: 503 says that it may be scheduled, again is once', async () => {
  const ns = namespace('outage-notice');
  const proxy = await startTcpProxy({ url: redisUrl() });
  const { smtp, countTo } = await startMailbox();
  const app = await startApp({ REDIS_URL: proxy.url, SMTP_URL: smtp.url, NAMESPACE: ns });
  const url = await app.url();

  const to = 'ann@example.org';
  const body = { ...order(to), arrivesAt: arrivingFor(6_000) };
  const stop = proxy.onRequest((chunk) => {
    // The data of a job: that is its add, and the answer never comes.
    if (chunk.includes('{"orderId"')) proxy.pause();
  });
  const lost = await ask(url, 'PUT', 'lost', body);
  expect(lost).toMatchObject({
    status: 503,
    body: {
      message: expect.stringContaining('not known whether the notice was scheduled') as unknown,
    },
  });
  stop();
  proxy.resume();
  await eventually(async () =>
    expect(await ask(url, 'PUT', 'lost', body)).toMatchObject({ status: 200 }),
  );
  await eventually(() => expect(countTo(to)).toBe(1), { timeoutMs: 15_000 });
  await eventually(async () => expect((await ask(url, 'GET', 'lost')).body['state']).toBe('sent'));
  expect(countTo(to)).toBe(1);
  await app.end('SIGTERM');
  await smtp.close();
  await proxy.close();
  await deleteNamespace(redisUrl(), ns);
}, 60_000);
