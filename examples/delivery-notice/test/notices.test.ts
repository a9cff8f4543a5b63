import { setTimeout as sleep } from 'node:timers/promises';
import { deleteNamespace, eventually, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Email } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { openNotices } from '../src/notices.ts';
import { orderStore } from '../src/order-store.ts';
import {
  arrivingFor,
  ask,
  killRunning,
  readable,
  type Reply,
  type Started,
  startApp,
  startMailbox,
} from './app.ts';

const ns = namespace('delivery-notice');
const refused = new Set<string>();
let app: Started;
let url: string;
let mailbox: Awaited<ReturnType<typeof startMailbox>>;
let orders = 0;

beforeAll(async () => {
  mailbox = await startMailbox(refused);
  app = await startApp({ REDIS_URL: redisUrl(), SMTP_URL: mailbox.smtp.url, NAMESPACE: ns });
  url = await app.url();
});

afterAll(async () => {
  expect(await app.end('SIGTERM')).toBe(0);
  await mailbox.smtp.close();
  await deleteNamespace(redisUrl(), ns);
  killRunning();
  // What it has printed names no customer.
  expect(app.output()).not.toContain('customer.example');
});

/** A separate order for each test, whose notice is due in so many ms. */
function order(dueInMs: number, more: object = {}) {
  orders += 1;
  const id = `order-${orders}`;
  const to = `${id}@customer.example`;
  const body = { to, name: 'Ann', items: ['1 lamp'], arrivesAt: arrivingFor(dueInMs), ...more };
  return { id, to, body };
}

const arrived = (to: string, count = 1) =>
  eventually(() => expect(mailbox.countTo(to)).toBe(count), { timeoutMs: 10_000 });

const reaches = (path: string, state: string) =>
  eventually(async () => expect((await ask(url, 'GET', path)).body).toMatchObject({ state }));

const short = ({ status, body }: Reply) => `${status} ${String(body['state'])}`;

const dayOf = (iso: string) =>
  new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    timeZone: 'Europe/Berlin',
  }).format(new Date(iso));

test('the same order 32 times at once: one email', async () => {
  const { id, to, body } = order(3_000);
  const replies = await Promise.all(Array.from({ length: 32 }, () => ask(url, 'PUT', id, body)));
  expect(replies.map(short).toSorted()).toEqual([
    ...Array<string>(31).fill('200 scheduled'),
    '201 scheduled',
  ]);
  await arrived(to);
  await reaches(id, 'sent');
  expect(short(await ask(url, 'PUT', id, body))).toBe('200 sent');
  await sleep(300);
  expect(mailbox.countTo(to)).toBe(1);
});

test('where the day before is over already the notice leaves at once', async () => {
  const { id, to, body } = order(-60 * 60 * 1000);
  expect((await ask(url, 'PUT', id, body)).status).toBe(201);
  await arrived(to);
});

test('a late parcel: the notice leaves later, and names the new day', async () => {
  const { id, to, body } = order(2_000);
  await ask(url, 'PUT', id, body);
  const arrivesAt = arrivingFor(4_000);
  const moved = await ask(url, 'PATCH', id, { arrivesAt });
  expect(moved).toMatchObject({ status: 200, body: { state: 'scheduled' } });
  await arrived(to);
  const [email] = mailbox.emailsTo(to);
  expect(email?.atMs).toBeGreaterThanOrEqual(Date.parse(arrivesAt) - 86_400_000);
});

test('a parcel that comes sooner than promised: sooner, and with its own day', async () => {
  const { id, to, body } = order(5 * 86_400_000);
  expect((await ask(url, 'PUT', id, body)).status).toBe(201);
  const arrivesAt = arrivingFor(500);
  expect((await ask(url, 'PATCH', id, { arrivesAt })).status).toBe(200);
  await arrived(to);
  const text = readable(mailbox.emailsTo(to)[0]?.raw ?? '');
  expect(text).toContain(dayOf(arrivesAt));
  expect(text).not.toContain(dayOf(body.arrivesAt));
  // The order says so too, and the old day is another order now.
  expect(short(await ask(url, 'PUT', id, { ...body, arrivesAt }))).toBe('200 sent');
  expect(await ask(url, 'PUT', id, body)).toMatchObject({
    status: 409,
    body: { state: 'conflict', fields: ['arrivesAt'] },
  });
});

test('a crash between order and alarm clock: one that rings too early is set again', async () => {
  const { id, to, body } = order(700);
  await ask(url, 'PUT', id, body);
  const redis = new Redis(redisUrl());
  const arrivesAt = arrivingFor(3_000);
  await orderStore(redis, ns).move({ orderId: id }, arrivesAt);
  await redis.quit();
  await arrived(to);
  expect(mailbox.emailsTo(to)[0]?.atMs).toBeGreaterThanOrEqual(Date.parse(arrivesAt) - 86_400_000);
});

test('of two that move it at once the slower one sets no alarm that is out of date', async () => {
  const { id, body } = order(60_000);
  await ask(url, 'PUT', id, body);
  const redis = new Redis(redisUrl());
  // Another API process, which is stopped after it has written the order.
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => void (goOn = resolve));
  const slow = Object.assign(Object.create(redis) as Redis, {
    async set(...args: Parameters<Redis['set']>) {
      const reply = await redis.set(...args);
      await gate;
      return reply;
    },
  });
  const notices = openNotices({ ...readConfig({}), namespace: ns }, slow, () => ({}) as Email);
  const late = arrivingFor(90_000);
  const moving = notices.move({ orderId: id }, late);
  await eventually(async () => {
    expect(await orderStore(redis, ns).read({ orderId: id })).toMatchObject({ arrivesAt: late });
  });
  const arrivesAt = arrivingFor(30_000);
  await ask(url, 'PATCH', id, { arrivesAt });
  goOn();
  await moving;
  await notices.close();
  await redis.quit();
  const { at } = (await ask(url, 'GET', id)).body;
  expect(Date.parse(String(at))).toBe(Date.parse(arrivesAt) - 86_400_000);
  await ask(url, 'DELETE', id);
});

test('cancelled: no email, until an occurrence asks for one on purpose', async () => {
  const { id, to, body } = order(600);
  await ask(url, 'PUT', id, body);
  expect(short(await ask(url, 'DELETE', id))).toBe('200 cancelled');
  expect(short(await ask(url, 'DELETE', id))).toBe('200 cancelled');
  expect(short(await ask(url, 'PUT', id, body))).toBe('409 cancelled');
  expect(short(await ask(url, 'PATCH', id, { arrivesAt: arrivingFor(0) }))).toBe('409 cancelled');
  await sleep(900);
  expect(mailbox.countTo(to)).toBe(0);

  const again = `${id}?occurrence=2`;
  const replies = await Promise.all(Array.from({ length: 8 }, () => ask(url, 'PUT', again, body)));
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
  await arrived(to);
  await reaches(again, 'sent');
  expect(short(await ask(url, 'GET', id))).toBe('200 cancelled');
});

test('cancelled before its order has come: it is not scheduled then', async () => {
  const { id, body } = order(100);
  expect(short(await ask(url, 'DELETE', id))).toBe('200 cancelled');
  expect(short(await ask(url, 'PUT', id, body))).toBe('409 cancelled');
});

test('a call that is too late is a 409 and says what happened to the email', async () => {
  const { id, to, body } = order(0);
  await ask(url, 'PUT', id, body);
  await arrived(to);
  await reaches(id, 'sent');
  for (const reply of [
    await ask(url, 'DELETE', id),
    await ask(url, 'PATCH', id, { arrivesAt: arrivingFor(5_000) }),
  ]) {
    expect(reply).toMatchObject({
      status: 409,
      body: { state: 'sent', message: 'Too late. The notice was sent.' },
    });
  }
});

test('a notice whose outcome is unknown is in doubt, and is not sent again', async () => {
  const { id, to, body } = order(0);
  mailbox.smtp.setFault({ at: 'dot-after-accept', how: 'reset' });
  await ask(url, 'PUT', id, body);
  await reaches(id, 'in-doubt');
  expect(short(await ask(url, 'PUT', id, body))).toBe('409 in-doubt');
  expect(short(await ask(url, 'DELETE', id))).toBe('409 in-doubt');
  expect(mailbox.countTo(to)).toBe(1);
});

test('an address that the mail server refuses: failed, and PUT tries again', async () => {
  const { id, to, body } = order(0);
  refused.add(to);
  await ask(url, 'PUT', id, body);
  await reaches(id, 'failed');
  refused.delete(to);
  expect((await ask(url, 'PUT', id, body)).status).toBe(201);
  await arrived(to);
});

test('the mail server refuses the email itself: rejected', async () => {
  const { id, to, body } = order(0);
  mailbox.smtp.setFault({ at: 'dot-before-accept', how: '5xx' });
  await ask(url, 'PUT', id, body);
  await reaches(id, 'rejected');
  expect(short(await ask(url, 'PUT', id, body))).toBe('409 rejected');
  expect(mailbox.countTo(to)).toBe(0);
});

test('one email is sent if the mail server is down briefly', async () => {
  const { id, to, body } = order(0);
  mailbox.smtp.setFault({ at: 'greeting', how: 'close' });
  await ask(url, 'PUT', id, body);
  await arrived(to);
});

test('GET of an unknown order is a 404', async () => {
  const { id, body } = order(0);
  expect(short(await ask(url, 'GET', id))).toBe('404 not-scheduled');
  const { arrivesAt } = body;
  expect(short(await ask(url, 'PATCH', id, { arrivesAt }))).toBe('404 not-scheduled');
});

test('HTML in a name is text', async () => {
  const name = '<b>Ann</b>, "Zoë" & Co';
  const { id, to, body } = order(0, { name, items: ['<script>lamp</script>'] });
  expect((await ask(url, 'PUT', id, body)).status).toBe(201);
  await arrived(to);
  const [email] = mailbox.emailsTo(to);
  const [, text = '', html = ''] = readable(email?.raw ?? '').split(/content-type: text\//i);
  expect(text).toContain(`Hello ${name},`);
  expect(html).toContain('Hello &lt;b&gt;Ann&lt;/b&gt;, &quot;Zoë&quot; &amp; Co,');
  expect(html).not.toMatch(/<b>|<script/);
  expect(email?.to).toEqual([to]);
});

test('nothing in the queue or ledger names a customer', async () => {
  const { id, to, body } = order(0);
  refused.add(to);
  await ask(url, 'PUT', id, body);
  await reaches(id, 'failed');
  const redis = new Redis(redisUrl());
  const keys = (await redis.keys(`*${ns}*`)).filter((key) => !key.includes(':order:'));
  const values = await Promise.all(keys.map((key) => valueOf(redis, key)));
  await redis.quit();
  const text = JSON.stringify(values);
  expect(text.includes('The mail server did not accept the notice (550).')).toBe(true);
  expect(text.includes('customer.example')).toBe(false);
});

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key);
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'string':
      return redis.get(key);
    default:
      // Lists and sets of job ids.
      return key;
  }
}
