import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  deleteNamespace,
  eventually,
  namespace,
  startSmtpServer,
  startTcpProxy,
  type TcpProxy,
} from '../src/index.ts';
import { redisUrl } from '../src/vitest.ts';

const cleanups: (() => unknown)[] = [];
const prefix = namespace('tcp-proxy');
let proxy: TcpProxy;

beforeEach(async () => {
  proxy = await startTcpProxy({ url: redisUrl() });
  cleanups.push(proxy.close);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  await deleteNamespace(redisUrl(), prefix);
});

function redis(url: string, options: object = {}) {
  const client = new Redis(url, { retryStrategy: () => 5, ...options });
  client.on('error', () => {});
  cleanups.push(() => client.disconnect());
  return client;
}

test('the reply of an executed command is lost, once', async () => {
  const client = redis(proxy.url);
  const cut = proxy.cutAfterRequest(`${prefix}:once`);
  // ioredis sends INCR again after the reconnect: it was executed twice.
  await expect(client.incr(`${prefix}:once`)).resolves.toBe(2);
  await cut.struck;
  await expect(client.incr(`${prefix}:once`)).resolves.toBe(3);
  expect(proxy.connections).toBe(2);
});

test('replies to earlier commands do not trigger the cut too early', async () => {
  const client = redis(proxy.url, {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  const direct = redis(redisUrl());
  for (let i = 0; i < 20; i++) {
    const key = `${prefix}:early:${i}`;
    const { struck } = proxy.cutAfterRequest(key);
    const before = Array.from({ length: 50 }, () => client.eval('for i = 1, 2000 do end', 0));
    const results = await Promise.allSettled([...before, client.incr(key)]);
    expect(results.at(-1)?.status).toBe('rejected');
    await struck;
    await expect(direct.get(key)).resolves.toBe('1');
  }
});

test('an armed cut can be cancelled', async () => {
  const client = redis(proxy.url);
  await client.ping();
  proxy.cutAfterRequest(/./).cancel();
  proxy.killAtByte(1, 'to-server').cancel();
  await client.ping();
  expect(proxy.connections).toBe(1);
});

test('a paused proxy moves nothing, and everything after resume', async () => {
  const client = redis(proxy.url);
  await client.ping();
  proxy.pause();
  let answered = false;
  const ping = client.ping().then(() => void (answered = true));
  const late = redis(proxy.url).ping();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answered).toBe(false);
  proxy.resume();
  await ping;
  await expect(late).resolves.toBe('PONG');
});

test('cut resets open connections, and later ones pass', async () => {
  const client = redis(proxy.url);
  await client.ping();
  proxy.cut();
  await client.ping();
  expect(proxy.connections).toBe(2);
  await eventually(() => expect(proxy.openConnections).toBe(1));
});

test('exactly n bytes reach the server, and exactly n the client', async () => {
  const smtp = await startSmtpServer();
  cleanups.push(smtp.close);
  const lossy = await startTcpProxy({ host: smtp.host, port: smtp.port });
  cleanups.push(lossy.close);
  let sent = 0;
  lossy.onRequest((chunk) => void (sent += chunk.length));
  const send = (subject: string) => {
    const mailer = createTransport({ host: lossy.host, port: lossy.port, name: 'me' });
    const fixed = {
      messageId: '<1@x>',
      date: new Date(0),
      from: 'a@x.test',
      to: 'b@x.test',
      text: 'hi',
    };
    return mailer.sendMail({ subject, ...fixed });
  };
  await send('one');
  await eventually(() => expect(lossy.openConnections).toBe(0));
  // nodemailer 10 closes after the 250 without QUIT, so the last byte is the line feed of the dot.
  const whole = sent;
  smtp.received.length = 0;

  lossy.killAtByte(whole - 1, 'to-server');
  await expect(send('one')).rejects.toThrow();
  expect(smtp.received).toHaveLength(0);

  const atTheDot = lossy.killAtByte(whole, 'to-server');
  await expect(send('one')).rejects.toThrow();
  await atTheDot.struck;
  await eventually(() => expect(smtp.received).toHaveLength(1));

  lossy.killAtByte(1, 'to-client');
  await expect(send('one')).rejects.toThrow();
  await send('one');
  expect(smtp.received).toHaveLength(2);
});

test('two hundred kills at any byte never let a mail through without its dot', async () => {
  const smtp = await startSmtpServer();
  cleanups.push(smtp.close);
  const lossy = await startTcpProxy({ host: smtp.host, port: smtp.port });
  cleanups.push(lossy.close);
  for (let i = 1; i <= 200; i++) {
    const cut = lossy.killAtByte(i * 3, i % 2 ? 'to-server' : 'to-client');
    const mailer = createTransport({ host: lossy.host, port: lossy.port });
    const letter = { from: 'a@x.test', to: 'b@x.test', text: 'x' };
    const outcome = await mailer.sendMail({ ...letter, messageId: `<${i}@x>` }).then(
      () => 'sent',
      () => 'failed',
    );
    cut.cancel();
    const copies = smtp.received.filter((email) => email.messageId === `<${i}@x>`).length;
    expect(copies).toBeLessThanOrEqual(1);
    if (outcome === 'sent') expect(copies).toBe(1);
  }
  await eventually(() => expect(lossy.openConnections).toBe(0));
});

test('a client of a dead target is reset', async () => {
  const nowhere = await startTcpProxy({ host: '127.0.0.1', port: 1 });
  cleanups.push(nowhere.close);
  const client = redis(nowhere.url.replace('tcp:', 'redis:'), {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  await expect(client.ping()).rejects.toThrow();
});
