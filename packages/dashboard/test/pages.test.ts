import { deriveKey, type Ledger, memoryLedger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { type QueueOfJobs } from '@sendonce/core/inspect';
import { redisJournal } from '@sendonce/redis';
import { eventually } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { formToken } from '../src/csrf.ts';
import { dashboard, type DashboardOptions } from '../src/index.ts';
import { byHeader, doubtfulEmail, RETENTION_MS, startStage } from './stage.ts';

const key = deriveKey(['notice', 7]);

function asker(options: DashboardOptions) {
  const board = dashboard({ authorize: byHeader, ...options });
  return async (path: string, init: RequestInit = {}) => {
    const headers = { 'x-user': 'ada', 'sec-fetch-site': 'same-origin' };
    const answered = await board.fetch(new Request(`http://a${path}`, { headers, ...init }));
    const text = (await answered.text()).replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
    return { status: answered.status, location: answered.headers.get('location'), text };
  };
}

test('without a journal the counts are not known, and the page says how to get them', async () => {
  const ask = asker({ ledger: memoryLedger() });
  const { status, text } = await ask('/');
  expect(status).toBe(200);
  expect(text).toContain('The ledger does not count, and there is no journal.');
  expect(text).toContain('redisJournal(client)');
  expect((await ask('/find?q=nothing')).text).toContain('With a journal also by label');
});

test('one hit is shown, several are listed, none is explained', async () => {
  const stage = startStage();
  const ask = asker({ ledger: stage.ledger, journal: stage.journal });
  await doubtfulEmail(stage, key, { label: 'order 7' });
  const other = deriveKey(['reminder', 7]);
  await doubtfulEmail(stage, other, { label: 'order 7', job: { queue: 'reminders', id: '9' } });

  for (const words of ['notice 7', '["notice", 7]', key, 'notices:1']) {
    const { status, location } = await ask(`/find?q=${encodeURIComponent(words)}`);
    expect([words, status, location]).toEqual([words, 303, `/email/${key}`]);
  }
  const several = await ask('/find?q=order+7');
  expect(several.status).toBe(200);
  expect(several.text).toContain('2 emails for order 7');
  expect(several.text).toContain('reminders:9');
  const none = await ask('/find?q=7');
  expect(none.status).toBe(404);
  expect(none.text).toContain('Keys are hashed');
  expect((await ask(`/find?q=${'a'.repeat(501)}`)).status).toBe(400);
});

test('the page of a scheduled email says when it is due, and what to check when that has passed', async () => {
  const stage = startStage();
  const ask = asker({ ledger: stage.ledger, journal: stage.journal });
  const write = async (dueMs: number) => {
    const step = {
      key,
      type: 'scheduled',
      atMs: Date.now(),
      token: 't',
      label: 'order 7',
    } as const;
    stage.journal.write({ ...step, job: { queue: 'notices', id: '1' }, dueMs });
    await stage.journal.flush();
  };
  await write(Date.UTC(2999, 0, 1));
  const soon = (await ask(`/email/${key}`)).text;
  expect(soon).toContain('scheduled It is due at 2999-01-01 00:00:00 UTC. No worker has begun');
  expect(soon).toContain('for 2999-01-01 00:00:00 UTC');
  await write(Date.UTC(2020, 0, 1));
  expect((await ask(`/email/${key}`)).text).toContain('which is past: is a worker running');
});

test('an unknown email is not found; each state is shown in words', async () => {
  const ledger = memoryLedger();
  const ask = asker({ ledger });
  expect((await ask(`/email/${key}`)).status).toBe(404);
  const attempt = { key, token: createToken(), leaseMs: 60_000, retentionMs: RETENTION_MS };
  await ledger.claim(attempt);
  expect((await ask(`/email/${key}`)).text).toContain('claimed An attempt holds it');
  await ledger.dispatch(attempt);
  expect((await ask(`/email/${key}`)).text).toContain('sending It was dispatched');
  await ledger.settle({ ...attempt, outcome: 'rejected', note: 'EENVELOPE 550' });
  expect((await ask(`/email/${key}`)).text).toContain('rejected It was refused permanently');
  await ledger.settle({ ...attempt, outcome: 'sent', messageId: '<m@shop>', result: '{"a":1}' });
  const { status, text } = await ask(`/email/${key}`);
  expect(status).toBe(200);
  expect(text).toContain('sent It was sent.');
  expect(text).toContain('&lt;m@shop&gt;');
  expect(text).toContain('{&quot;a&quot;:1}');
});

test('an email that was resolved as sent says by whom, and why it was in doubt', async () => {
  const stage = startStage();
  const token = await doubtfulEmail(stage, key);
  const verdict = { key, token, verdict: 'sent', by: 'grace: asked' } as const;
  await stage.ledger.resolve({ ...verdict, retentionMs: RETENTION_MS });
  const { text } = await asker({ ledger: stage.ledger, journal: stage.journal })(`/email/${key}`);
  expect(text).toContain('By notices:1 Message-ID – Note of the doubt ETIMEDOUT');
  expect(text).toContain('Resolved by grace: asked');
});

test('a doubt whose sender found out that nothing was sent says so, and what happens next', async () => {
  const ledger = memoryLedger();
  const ask = asker({ ledger });
  const attempt = { key, token: createToken(), leaseMs: 60_000, retentionMs: RETENTION_MS };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', lateNotSent: true });
  const sentence =
    'in doubt Its sender found out that nothing was sent, but only after the email was in doubt. The next attempt sends it.';
  expect((await ask(`/email/${key}`)).text).toContain(sentence);
  expect((await ask('/')).text).toContain('not sent; the next attempt sends it');
});

test('the timeline tells how long each step took', async () => {
  const stage = startStage();
  const job = { queue: 'notices', id: '1' };
  const told = { key, job, worker: 'mail-1:7', token: 'abcdef' };
  stage.journal.write({ ...told, type: 'claimed', atMs: 1_700_000_000_000 });
  stage.journal.write({ ...told, type: 'dispatched', atMs: 1_700_000_000_012 });
  stage.journal.write({ ...told, type: 'sent', atMs: 1_700_000_003_212, messageId: '<m@shop>' });
  await stage.journal.flush();
  const { text } = await asker({ ledger: stage.ledger, journal: stage.journal })(`/email/${key}`);
  expect(text).toContain('claimed 2023-11-14 22:13:20.000 notices:1 mail-1:7');
  expect(text).toContain('dispatched 2023-11-14 22:13:20.012 + 12 ms');
  expect(text).toContain('sent 2023-11-14 22:13:23.212 + 3.2 s');
});

/** What the page says about the job, by what its queue says. */
test.each<[string, string, Partial<Awaited<ReturnType<QueueOfJobs['getJob']>>> | 'gone' | 'other']>(
  [
    ['retried', 'Its job was retried.', {}],
    ['not-failed', 'it is waiting, running or completed', { getState: async () => 'delayed' }],
    ['no-job', 'schedule the email again', 'gone'],
    ['no-queue', 'retry the job yourself', 'other'],
    ['unknown', 'Its queue did not answer', { retry: () => Promise.reject(new Error('away')) }],
  ],
)('a verdict is kept with any result of the retry of its job: %s', async (word, words, job) => {
  const stage = startStage();
  const token = await doubtfulEmail(stage, key);
  const queue: QueueOfJobs = {
    name: job === 'other' ? 'notice' : 'notices',
    getJob: async () =>
      typeof job === 'string'
        ? undefined
        : { getState: async () => 'failed', retry: async () => {}, ...job },
  };
  const board = dashboard({ ledger: stage.ledger, queues: [queue], authorize: byHeader });
  const headers = { 'x-user': 'ada', 'sec-fetch-site': 'same-origin' };
  const url = `http://a/email/${key}`;
  const page = await (await board.fetch(new Request(url, { headers }))).text();
  const csrf = /name="csrf" value="([\w-]+)"/.exec(page)?.[1] ?? '';
  const body = new URLSearchParams({ csrf, token, verdict: 'sent', confirmed: 'yes' });
  const taken = await board.fetch(new Request(`${url}/resolve`, { method: 'POST', body, headers }));
  expect(taken.headers.get('location')).toContain(`/email/${key}?decided=sent&job=${word}`);
  const after = await board.fetch(
    new Request(`http://a${taken.headers.get('location')}`, { headers }),
  );
  expect(await after.text()).toContain(words);
  expect(await stage.ledger.read(key)).toMatchObject({ state: 'sent', resolvedBy: 'ada' });
});

test('who decided is shown without a journal too, from the record', async () => {
  const { ledger, journal } = startStage();
  const token = await doubtfulEmail({ ledger, journal }, key);
  const ask = asker({ ledger, secret: 'x'.repeat(32) });
  await ledger.resolve({
    key,
    token,
    verdict: 'sent',
    by: 'grace: asked',
    retentionMs: RETENTION_MS,
  });
  // The form as ada has it, of before.
  const csrf = formToken('x'.repeat(32), 'ada', key);
  for (const verdict of ['sent', 'not-sent']) {
    const body = new URLSearchParams({ csrf, token, verdict, confirmed: 'yes' });
    const { status, text } = await ask(`/email/${key}/resolve`, { method: 'POST', body });
    expect(status).toBe(409);
    expect(text).toContain('It was resolved by grace: asked .');
  }
});

test('a journal that is away hides histories and counts, and holds up no verdict', async () => {
  const stage = startStage();
  const { ledger, journal } = stage;
  const token = await doubtfulEmail({ ledger, journal }, key);
  const nowhere = new Redis('redis://127.0.0.1:1', { maxRetriesPerRequest: 0 });
  nowhere.on('error', () => {});
  stage.onEnd(() => nowhere.disconnect());
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => {
    warned.mockRestore();
  });
  const secret = 'x'.repeat(32);
  const ask = asker({ ledger, journal: redisJournal(nowhere), secret });
  const overview = await ask('/');
  expect(overview.status).toBe(200);
  expect(overview.text).toContain('1 email is in doubt');
  expect(overview.text).toContain('The journal does not answer');
  const email = await ask(`/email/${key}`);
  expect(email.text).toContain('Was it sent?');
  expect(email.text).toContain('No history: the journal is empty, unavailable or not configured.');
  const body = new URLSearchParams({
    csrf: formToken(secret, 'ada', key),
    token,
    verdict: 'sent',
    confirmed: 'yes',
  });
  expect((await ask(`/email/${key}/resolve`, { method: 'POST', body })).status).toBe(303);
  expect(await ledger.read(key)).toMatchObject({ state: 'sent' });
});

test('open pages with different lists of doubts share each read of the ledger', async () => {
  const ledger = memoryLedger();
  let lists = 0;
  const counting: Ledger = {
    ...ledger,
    list(query) {
      lists += 1;
      return ledger.list(query);
    },
  };
  const board = dashboard({ ledger: counting, authorize: byHeader });
  const paths = Array.from({ length: 20 }, (_, index) => `/events?page=${index + 1}`);
  const streams = await Promise.all(
    paths.map((path) =>
      board.fetch(new Request(`http://a${path}`, { headers: { 'x-user': 'ada' } })),
    ),
  );
  onTestFinished(() => board.close());
  const atFirst = lists;
  expect(atFirst).toBeLessThanOrEqual(20);
  await eventually(() => expect(lists).toBeGreaterThanOrEqual(atFirst + 3), { timeoutMs: 15_000 });
  // Each of the 20 pages would have made three separate reads.
  expect(lists).toBeLessThan(atFirst + 20);
  expect(streams.every(({ status }) => status === 200)).toBe(true);
});
