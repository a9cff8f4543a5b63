import { type Ledger, memoryLedger, OptionError } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dashboard, type DashboardOptions, type Viewer } from '../src/index.ts';
import { expectUntouched, key, other, scene } from './scene.ts';
import { byHeader, startStage } from './stage.ts';

test('a script in a label, a note, a name, a query and a result is shown as text', async () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
  const authorize = (): Viewer => ({ name: evil, mayResolve: true });
  const { stage, ask } = await scene({ authorize }, evil);
  const attempt = {
    key: other,
    token: createToken(),
    leaseMs: 1000,
    retentionMs: 60_000,
    job: { queue: evil, id: evil },
  };
  await stage.ledger.settle({
    ...attempt,
    outcome: 'sent',
    result: JSON.stringify({ evil }),
    messageId: evil,
  });
  stage.journal.write({
    key,
    type: 'in-doubt',
    atMs: Date.now(),
    job: { queue: evil, id: evil },
    by: evil,
    worker: evil,
    note: evil,
  });
  stage.journal.write({ key: other, type: 'sent', atMs: Date.now(), label: evil });
  await stage.journal.flush();
  const paths = [
    '/',
    `/email/${key}`,
    `/email/${other}`,
    `/find?q=${encodeURIComponent(`${evil}.`)}`,
  ];
  for (const path of paths) {
    const text = await (await ask(path)).text();
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  }
  // Two emails have it: a list.
  const list = await ask(`/find?q=${encodeURIComponent(evil)}`);
  expect(list.status).toBe(200);
  expect(await list.text()).not.toContain('<img');
});

test('an object that a ledger returns instead of a text is never treated as markup', async () => {
  const ledger = memoryLedger();
  const attempt = { key, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 };
  await ledger.claim({ ...attempt, dispatched: true });
  const note = { markup: '<script>alert(1)</script>' } as unknown as string;
  const broken: Ledger = {
    ...ledger,
    read: async (wanted) => ({ ...(await ledger.read(wanted))!, note, messageId: null as never }),
  };
  const board = dashboard({ ledger: broken, authorize: byHeader });
  const request = new Request(`http://a/email/${key}`, { headers: { 'x-user': 'ada' } });
  const answered = await board.fetch(request);
  expect(answered.status).toBe(200);
  expect(await answered.text()).not.toContain('<script>alert');
});

test('whom authorize does not know sees nothing, not even what a path is', async () => {
  const { board } = await scene();
  for (const path of ['/', `/email/${key}`, '/events', '/style.css', '/nowhere', '/find?q=x']) {
    const answered = await board.fetch(new Request(`http://a${path}`));
    expect(answered.status).toBe(403);
    expect(await answered.text()).not.toContain(key);
  }
});

test('paths outside of the mount, and keys that are none, are not found', async () => {
  const { ask } = await scene({ basePath: '/emails' });
  const textOf = async (path: string) => {
    const answered = await ask(path);
    return `${path} ${answered.status} ${/<p>\s*([^<]*?)\s*<\/p>\s*(<p>|<\/main>)/.exec(await answered.text())?.[1]}`;
  };
  const outside = [
    '/',
    '/find',
    '/emailsx',
    '/emails/../find',
    '/emails/%2e%2e/find',
    '/Emails/',
    '//emails/',
  ];
  for (const path of outside) {
    expect(await textOf(path)).toBe(`${path} 404 The dashboard is at /emails/, not at this path.`);
  }
  const keys = [
    '',
    'x',
    `${key}x`,
    key.slice(1),
    encodeURIComponent('../../../etc/passwd'),
    `${key.slice(2)}%41`,
  ];
  for (const path of ['/emails/..%2f..%2fetc', ...keys.map((one) => `/emails/email/${one}`)]) {
    expect(await textOf(path)).toBe(
      `${path} 404 There is no such page. The dashboard is at /emails/.`,
    );
  }
  for (const path of ['/emails', '/emails/', `/emails/email/${key}`, '/emails/x/../find']) {
    expect([path, (await ask(path)).status]).toEqual([path, 200]);
  }
  expect((await ask('/emails/events?email=short')).status).toBe(404);
});

test('a link that pretends a verdict says nothing', async () => {
  const { ask, post } = await scene();
  const real = (await post()).headers.get('location') ?? '';
  expect(await (await ask(real)).text()).toContain('Your verdict is recorded');
  const changed = real.replace('decided=not-sent', 'decided=sent');
  const ofOther = real.replace(key, other);
  for (const link of [changed, ofOther, `/email/${key}?decided=sent&job=retried`]) {
    expect(await (await ask(link)).text()).not.toContain('Your verdict is recorded');
  }
  expect(await (await ask(real, {}, 'grace')).text()).not.toContain('Your verdict is recorded');
});

test('other methods are refused with what is allowed; HEAD is GET without a body', async () => {
  const { stage, ask } = await scene();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answered = await ask(`/email/${key}`, { method });
    expect([method, answered.status, answered.headers.get('allow')]).toEqual([
      method,
      405,
      'GET, HEAD',
    ]);
  }
  const get = await ask(`/email/${key}/resolve`);
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  for (const path of ['/', `/email/${key}`, '/find', '/style.css', '/events']) {
    const head = await ask(path, { method: 'HEAD' });
    expect([path, head.status, await head.text()]).toEqual([path, 200, '']);
  }
  await expectUntouched(stage);
});

test('every answer has the headers that keep it in its place', async () => {
  const { ask, post, board } = await scene();
  const stream = await ask('/events');
  onTestFinished(() => stream.body?.cancel());
  const answers = {
    overview: await ask('/'),
    email: await ask(`/email/${key}`),
    find: await ask('/find?q=nothing'),
    found: await ask('/find?q=notices:1'),
    missing: await ask('/nowhere'),
    method: await ask('/', { method: 'PUT' }),
    stranger: await board.fetch(new Request('http://a/')),
    style: await ask('/style.css'),
    refused: await post({ csrf: '' }),
    resolved: await post(),
    stream,
  };
  for (const [name, { headers }] of Object.entries(answers)) {
    const policy = headers.get('content-security-policy') ?? '';
    expect([name, policy.split('; ')]).toEqual([
      name,
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
      ]),
    ]);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect([name, headers.get('x-content-type-options')]).toEqual([name, 'nosniff']);
    expect([name, headers.get('referrer-policy')]).toEqual([name, 'no-referrer']);
    if (name !== 'style')
      expect([name, headers.get('cache-control')]).toEqual([
        name,
        expect.stringContaining('no-store'),
      ]);
  }
});

test('a record of a newer version is one clear line, and stays', async () => {
  const { stage, ask } = await scene();
  const [name] = await stage.redis.keys(`${stage.prefix}:ledger:{${key[0]}}${key.slice(1)}`);
  const before = await stage.redis.getBuffer(name!);
  await stage.redis.set(name!, 'Z from the future, for ada@example.org');
  const answered = await ask(`/email/${key}`);
  expect(answered.status).toBe(500);
  const text = await answered.text();
  expect(text).toContain(`The record of ${key} cannot be read`);
  for (const secret of ['ada@example.org', stage.prefix, 'at file:', '127.0.0.1'])
    expect(text).not.toContain(secret);
  // It does not hide what can be read.
  const overview = await ask('/');
  expect(overview.status).toBe(200);
  expect(await overview.text()).toContain(`The record of ${key} cannot be read`);
  expect(before).not.toBeNull();
  expect(await stage.redis.get(name!)).toContain('from the future');
});

test(
  'a ledger that is away is one clear line, without the name of its server',
  { timeout: 30_000 },
  async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const stage = startStage(redis.url);
    const { ledger, journal } = stage;
    const board = dashboard({ ledger, journal, authorize: byHeader });
    const ask = (path: string) =>
      board.fetch(new Request(`http://a${path}`, { headers: { 'x-user': 'ada' } }));
    expect((await ask('/')).status).toBe(200);
    // It accepts connections and answers nothing: the worst way to be away.
    redis.pause();
    const answers = await Promise.all(['/', `/email/${key}`, '/find?q=x'].map(ask));
    for (const answered of answers) {
      expect(answered.status).toBe(503);
      const text = await answered.text();
      expect(text).toContain('does not answer');
      expect(text).not.toContain(String(redis.port));
    }
    redis.resume();
    expect((await ask('/')).status).toBe(200);
    // Its queue would wait for the server that ends with the test.
    await stage.queue.close();
  },
);

test('an authorize that throws refuses everyone, and its message stays here', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  const authorize = () => {
    throw new Error('password hunter2');
  };
  const board = dashboard({ ledger: memoryLedger(), authorize });
  const answered = await board.fetch(new Request('http://a/'));
  expect(answered.status).toBe(500);
  expect(await answered.text()).not.toContain('hunter2');
  expect(warned).toHaveBeenCalledOnce();
});

test.each<[string, object]>([
  ['ledger', { ledger: {} }],
  ['journal', { journal: { write() {} } }],
  ['queues', { queues: [{}] }],
  ['queues', { queues: 'notices' }],
  ['authorize', { authorize: true }],
  ['basePath', { basePath: 'emails' }],
  ['basePath', { basePath: '/a/../b' }],
  ['basePath', { basePath: '/"><script>' }],
  ['retentionMs', { retentionMs: '7d' }],
  ['secret', { secret: 'short' }],
])('a wrong %s is refused at once', (option, wrong) => {
  const options = { ledger: memoryLedger(), ...wrong } as unknown as DashboardOptions;
  const refused = expect.objectContaining({ option }) as OptionError;
  expect(() => dashboard(options)).toThrow(refused);
});
