import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  deleteNamespace,
  eventually,
  freePort,
  namespace,
  startSmtpServer,
} from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { afterAll, expect, test } from 'vitest';
import { arrivingFor, ask, killRunning, startApp, startHalf } from './app.ts';

afterAll(killRunning);

const ids = (count: number) => Array.from({ length: count }, (_, number) => `order-${number}`);

const orderOf = (id: string, dueInMs: number) => ({
  to: `${id}@example.org`,
  name: 'Ann',
  arrivesAt: arrivingFor(dueInMs),
});

test('SIGKILL of all processes, with its own Redis: each scheduled notice arrives once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-notices-'));
  const smtp = await startSmtpServer();
  const env = {
    REDIS_URL: '',
    SMTP_URL: smtp.url,
    DATA_DIR: folder,
    EMBEDDED_REDIS_PORT: String(await freePort()),
  };
  const first = await startApp(env);
  const url = await first.url();
  const all = ids(12);
  // Due when the app is dead, or shortly after it is back: one that is on its way at the kill would
  // be in doubt.
  await Promise.all(all.map((id, index) => ask(url, 'PUT', id, orderOf(id, 4_000 + 300 * index))));
  await ask(url, 'DELETE', 'order-11');
  await first.end('SIGKILL');
  await sleep(5_000);
  expect(smtp.received).toEqual([]);

  const second = await startApp(env);
  await second.url();
  await eventually(() => expect(smtp.received.length).toBeGreaterThanOrEqual(11), {
    timeoutMs: 20_000,
  });
  await sleep(500);
  expect(smtp.received.map(({ to }) => to.join()).toSorted()).toEqual(
    all
      .slice(0, 11)
      .map((id) => `${id}@example.org`)
      .toSorted(),
  );
  expect(await second.end('SIGTERM')).toBe(0);
  await smtp.close();
  await rm(folder, { recursive: true });
}, 60_000);

test('a SIGKILL while notices are sent: none is sent twice, and none is dropped silently', async () => {
  const ns = namespace('killed-notice');
  const smtp = await startSmtpServer({ ackDelayMs: 20 });
  const env = { REDIS_URL: redisUrl(), SMTP_URL: smtp.url, NAMESPACE: ns, LEASE_MS: '1000' };
  const all = ids(60);
  let app = await startApp(env);
  const url = await app.url();
  await Promise.all(all.map((id, index) => ask(url, 'PUT', id, orderOf(id, 300 + 40 * index))));
  for (const runMs of [700, 500]) {
    await sleep(runMs);
    await app.end('SIGKILL');
    app = await startApp(env);
    await app.url();
  }
  const now = await app.url();
  const states = await eventually(
    async () => {
      const replies = await Promise.all(all.map((id) => ask(now, 'GET', id)));
      const states = replies.map(({ body }) => String(body['state']));
      expect(states.filter((state) => state !== 'sent' && state !== 'in-doubt')).toEqual([]);
      return states;
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );
  const counts = all.map(
    (id) => smtp.received.filter(({ to }) => to[0]?.startsWith(`${id}@`)).length,
  );
  for (const [index, state] of states.entries()) {
    const allowed = state === 'sent' ? [1] : [0, 1];
    expect(allowed, `${all[index]} is ${state}`).toContain(counts[index]);
  }
  await app.end('SIGTERM');
  await smtp.close();
  await deleteNamespace(redisUrl(), ns);
}, 60_000);

test('SIGTERM: the email in flight is finished first', async () => {
  const ns = namespace('stopped-notice');
  const smtp = await startSmtpServer({ ackDelayMs: 800 });
  const env = { REDIS_URL: redisUrl(), SMTP_URL: smtp.url, NAMESPACE: ns };
  const app = await startApp(env);
  const url = await app.url();
  await ask(url, 'PUT', 'slow', orderOf('slow', 0));
  await eventually(() => expect(smtp.received).toHaveLength(1));
  expect(smtp.received[0]?.acknowledged).toBe(false);
  expect(await app.end('SIGTERM')).toBe(0);
  expect(smtp.received[0]?.acknowledged).toBe(true);

  const again = await startApp(env);
  const { body } = await ask(await again.url(), 'GET', 'slow');
  expect(body).toMatchObject({ state: 'sent' });
  await again.end('SIGTERM');
  await smtp.close();
  await deleteNamespace(redisUrl(), ns);
}, 30_000);

test('API and worker one by one: what is due and waits for a worker can still be moved', async () => {
  const ns = namespace('halves-notice');
  const smtp = await startSmtpServer();
  const env = { REDIS_URL: redisUrl(), SMTP_URL: smtp.url, NAMESPACE: ns };
  const api = await startHalf('api', env);
  const url = await api.url();
  await ask(url, 'PUT', 'due', orderOf('due', 0));
  expect((await ask(url, 'GET', 'due')).body).toMatchObject({ state: 'due' });
  const { arrivesAt } = orderOf('due', 4_000);
  expect((await ask(url, 'PATCH', 'due', { arrivesAt })).status).toBe(200);

  const worker = await startHalf('worker', env);
  await eventually(() => expect(smtp.received).toHaveLength(1), { timeoutMs: 15_000 });
  // The worker sends up to a second early, because clocks differ (EARLY_MS). One that starts in
  // this second sends at once.
  const dueMs = Date.parse(arrivesAt) - 86_400_000;
  expect(smtp.received[0]?.atMs).toBeGreaterThanOrEqual(dueMs - 1_000);
  expect(await Promise.all([worker.end('SIGTERM'), api.end('SIGTERM')])).toEqual([0, 0]);
  await smtp.close();
  await deleteNamespace(redisUrl(), ns);
}, 30_000);
