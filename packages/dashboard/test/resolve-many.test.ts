import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger, LedgerUnavailableError } from '@sendonce/core';
import express from 'express';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { formToken } from '../src/csrf.ts';
import { dashboard, type DashboardOptions, nodeHandler } from '../src/index.ts';
import { closeBrowser, findChromium, openPage } from './chromium.ts';
import { byHeader, doubtfulEmail, RETENTION_MS, serve, type Stage, startStage } from './stage.ts';

afterAll(closeBrowser);

const keyOf = (order: number) => deriveKey(['notice', order]);

/** Emails in doubt with these causes; the first one is that of order 1. */
async function addDoubts(stage: Stage, causes: readonly string[]): Promise<void> {
  for (const [index, note] of causes.entries()) {
    const order = index + 1;
    const job = { queue: 'notices', id: `n-${order}` };
    await doubtfulEmail(stage, keyOf(order), { label: `order ${order}`, note, job });
  }
}

async function ordersInDoubt({ ledger }: Stage): Promise<number[]> {
  const orders: number[] = [];
  for await (const { job } of ledger.list({ state: 'in-doubt' })) {
    orders.push(Number(job?.id.slice(2)));
  }
  return orders.toSorted((one, other) => one - other);
}

/** A dashboard over these doubts, and how to ask it. Its queue has a failed job for each. */
async function scene(causes: readonly string[], options: Partial<DashboardOptions> = {}) {
  const stage = startStage();
  await addDoubts(stage, causes);
  const retried: string[] = [];
  const queue = {
    name: 'notices',
    getJob: async (id: string) => ({
      getState: async () => (retried.includes(id) ? 'waiting' : 'failed'),
      retry: async () => void retried.push(id),
    }),
  };
  const { ledger, journal } = stage;
  const board = dashboard({ ledger, journal, queues: [queue], authorize: byHeader, ...options });
  const ask = async (path: string, form?: URLSearchParams, more: Record<string, string> = {}) => {
    const headers = {
      host: 'shop.example',
      'x-user': 'ada',
      ...(form && { 'sec-fetch-site': 'same-origin' }),
      ...more,
    };
    const init = form ? { method: 'POST', body: form, headers } : { headers };
    const answered = await board.fetch(new Request(`http://shop.example${path}`, init));
    return { status: answered.status, text: await answered.text() };
  };
  /** The fields of the form with this action. */
  const choose = async (query = '') => {
    const list = await ask(`/doubts${query}`);
    const form = readForm(list.text, '/doubts/confirm');
    form.delete('pick');
    form.set('choose', 'all');
    const confirm = await ask('/doubts/confirm', form);
    return { list, confirm, form: readForm(confirm.text, '/doubts/resolve') };
  };
  /** Records the verdict, in as many steps as it takes. */
  const record = async (form: URLSearchParams, user = 'ada') => {
    let answered = await ask('/doubts/resolve', form, { 'x-user': user });
    while (answered.text.includes('id="more"')) {
      const more = readForm(answered.text, '/doubts/resolve');
      answered = await ask('/doubts/resolve', more, { 'x-user': user });
    }
    return { ...answered, words: wordsOf(answered.text) };
  };
  return { stage, board, ask, choose, record, retried };
}

/**
 * The fields that a browser would send. Radio buttons and boxes that are not ticked are left out.
 */
function readForm(text: string, action: string): URLSearchParams {
  const [, inside = ''] =
    new RegExp(`<form[^>]*action="${action}"[^>]*>([^]*?)</form>`).exec(text) ?? [];
  const form = new URLSearchParams();
  for (const [input] of inside.matchAll(/<input[^>]*>/g)) {
    const [name, value] = ['name', 'value'].map(
      (attribute) => new RegExp(`\\s${attribute}="([^"]*)"`).exec(input)?.[1] ?? '',
    );
    const isOff = /type="(radio|checkbox)"/.test(input) && !input.includes('checked=');
    if (!isOff) form.append(name!, value!.replaceAll('&amp;', '&'));
  }
  return form;
}

const wordsOf = (text: string) =>
  text
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

describe('the list', () => {
  test('filters by cause, queue and time, and counts what matches', async () => {
    const { ask } = await scene(['401 invalid', '401 invalid', '403', 'ETIMEDOUT']);
    const all = await ask('/doubts');
    expect(wordsOf(all.text)).toContain('4 emails match.');
    expect(wordsOf(all.text)).toMatch(
      /Cause 401 invalid 2 .*Queue notices 4 Dispatched under 1 h ago 4/,
    );
    const some = wordsOf((await ask('/doubts?cause=401')).text);
    expect(some).toContain('2 emails match.');
    expect(some).toContain('order 2');
    expect(some).not.toContain('order 3');
    for (const query of ['queue=receipts', 'until=2020-01-01T00:00', 'cause=5']) {
      expect(wordsOf((await ask(`/doubts?${query}`)).text)).toContain('No email in doubt matches.');
    }
    expect(wordsOf((await ask('/doubts?since=2020-01-01T00:00')).text)).toContain('4 emails match');
  });

  test.each([
    ['since=2026-02-31', 'Write a time as'],
    ['until=yesterday', 'Write a time as'],
    ['since=2026-02-02&until=2026-02-01', 'the first time is after the last one'],
  ])('says what is wrong with %s', async (query, message) => {
    const { ask } = await scene(['401']);
    const { status, text } = await ask(`/doubts?${query}`);
    expect([status, wordsOf(text)]).toEqual([400, expect.stringContaining(message)]);
  });

  test('is for a viewer who may only look without boxes and buttons', async () => {
    const { ask } = await scene(['401']);
    const { text } = await ask('/doubts', undefined, { 'x-user': 'bob' });
    expect(text).toContain('order 1');
    expect(text).not.toContain('method="post"');
    expect(text).not.toContain('type="checkbox"');
  });

  test('shows the texts of others as text', async () => {
    const evil = '"><script>alert(1)</script>';
    const { choose, ask } = await scene([evil]);
    const { list, confirm } = await choose();
    for (const { text } of [
      list,
      confirm,
      await ask(`/doubts?cause=${encodeURIComponent(evil)}`),
    ]) {
      expect(text).not.toContain('<script>alert');
      expect(text).toContain('&lt;script&gt;alert(1)');
    }
  });
});

describe('one verdict', () => {
  test('is recorded for all that match, with the name and reason, and their jobs are retried', async () => {
    const { stage, choose, record, retried } = await scene(['401', '401', 'ETIMEDOUT']);
    const { confirm, form } = await choose('?cause=401');
    expect(wordsOf(confirm.text)).toContain('Type the number of emails: 2');
    form.set('verdict', 'not-sent');
    form.set('why', 'the key had expired');
    form.set('count', '2');
    const { status, words } = await record(form);
    expect(status).toBe(200);
    expect(words).toMatch(
      /All are done\. .*2 of 2 .*2 resolved as not sent 2 failed jobs run again/,
    );
    expect(await ordersInDoubt(stage)).toEqual([3]);
    expect(retried.toSorted()).toEqual(['n-1', 'n-2']);
    for (const order of [1, 2]) {
      const last = (await stage.journal.history(keyOf(order))).at(-1);
      const about = { by: 'ada', note: 'the key had expired' };
      expect(last).toMatchObject({ type: 'resolved-not-sent', ...about });
    }
  });

  test('is recorded for the ticked ones only', async () => {
    const { stage, ask, record } = await scene(['401', '401', '401']);
    const list = readForm((await ask('/doubts')).text, '/doubts/confirm');
    list.set('choose', 'ticked');
    const { token } = (await stage.ledger.read(keyOf(2)))!;
    list.append('pick', `${keyOf(2)}.${token}`);
    const form = readForm((await ask('/doubts/confirm', list)).text, '/doubts/resolve');
    form.set('verdict', 'sent');
    form.set('count', '1');
    expect((await record(form)).words).toContain('1 resolved as sent');
    expect(await ordersInDoubt(stage)).toEqual([1, 3]);
  });

  test.each([
    ['another number', { verdict: 'sent', count: '3' }, 'Type the number of emails, 2.'],
    ['no number', { verdict: 'sent', count: '' }, 'Type the number of emails, 2.'],
    ['no verdict', { count: '2' }, 'Say whether they were sent.'],
    ['a wrong verdict', { verdict: 'maybe', count: '2' }, 'Say whether they were sent.'],
  ])('with %s asks again, and changes nothing', async (_, fields, message) => {
    const { stage, ask, choose } = await scene(['401', '401']);
    const { form } = await choose();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const { status, text } = await ask('/doubts/resolve', form);
    expect([status, wordsOf(text)]).toEqual([400, expect.stringContaining(message)]);
    expect(await ordersInDoubt(stage)).toEqual([1, 2]);
  });

  test('does not decide what was decided meanwhile, nor a later doubt', async () => {
    const { stage, choose, record } = await scene(['401', '401', '401']);
    const { form } = await choose();
    const [first, second] = await Promise.all([1, 2].map((n) => stage.ledger.read(keyOf(n))));
    const verdict = { verdict: 'sent', by: 'grace', retentionMs: RETENTION_MS } as const;
    await stage.ledger.resolve({ ...first!, ...verdict });
    await stage.ledger.resolve({ ...second!, ...verdict, verdict: 'not-sent' });
    await doubtfulEmail(stage, keyOf(2), { job: { queue: 'notices', id: 'n-2' } });
    form.set('verdict', 'not-sent');
    form.set('count', '3');
    const { words } = await record(form);
    expect(words).toContain('1 resolved as not sent');
    expect(words).toContain('2 had another verdict or outcome meanwhile');
    expect(await ordersInDoubt(stage)).toEqual([2]);
    expect(await stage.ledger.read(keyOf(1))).toMatchObject({ resolvedBy: 'grace' });
  });

  test('leaves in doubt what has no job, and lists it; without the box it is resolved', async () => {
    const queues = () => ({ name: 'notices', getJob: async () => undefined });
    const { stage, choose, record } = await scene(['401'], { queues });
    const { form } = await choose();
    form.set('verdict', 'not-sent');
    form.set('count', '1');
    const { words } = await record(form);
    expect(words).toMatch(/1 email to look at \S{22} : still in doubt: its job is gone/);
    expect(await ordersInDoubt(stage)).toEqual([1]);
    form.delete('retry');
    expect((await record(form)).words).toContain('1 resolved as not sent');
    expect(await ordersInDoubt(stage)).toEqual([]);
  });

  test('is not lost with the ledger: the page says so, and continues with the rest', async () => {
    const stage = startStage();
    await addDoubts(
      stage,
      Array.from({ length: 40 }, () => '401'),
    );
    let answers = 10;
    const ledger: Ledger = {
      ...stage.ledger,
      resolve(resolution) {
        if ((answers -= 1) < 0) return Promise.reject(new LedgerUnavailableError('away'));
        return stage.ledger.resolve(resolution);
      },
    };
    const { ask, choose } = await scene([], { ledger });
    const { form } = await choose();
    form.set('verdict', 'sent');
    form.set('count', '40');
    form.delete('retry');
    const away = await ask('/doubts/resolve', form);
    expect([away.status, wordsOf(away.text)]).toEqual([
      503,
      expect.stringContaining('The ledger did not answer. It is safe to continue'),
    ]);
    expect(away.text).toContain('data-continue="no"');
    expect(await ordersInDoubt(stage)).toHaveLength(30);
    answers = 100;
    const more = readForm(away.text, '/doubts/resolve');
    const { text } = await ask('/doubts/resolve', more);
    expect(wordsOf(text)).toMatch(/All are done\. .*40 of 40 .*40 resolved as sent/);
    expect(await ordersInDoubt(stage)).toEqual([]);
  });

  test('a step that is sent twice records nothing twice', async () => {
    const { stage, choose, ask } = await scene(['401', '401']);
    const { form } = await choose();
    form.set('verdict', 'sent');
    form.set('count', '2');
    await ask('/doubts/resolve', form);
    const { text } = await ask('/doubts/resolve', form);
    expect(wordsOf(text)).toContain('0 resolved as sent');
    const history = await stage.journal.history(keyOf(1));
    expect(history.filter(({ type }) => type === 'resolved-sent')).toHaveLength(1);
  });
});

describe('a verdict about many', () => {
  const secret = 'one secret for all processes, long';

  test.each<[string, Record<string, string>, Record<string, string>, number]>([
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }, 403],
    ['from a sister site', {}, { 'sec-fetch-site': 'same-site' }, 403],
    ['of a viewer who may only look', {}, { 'x-user': 'bob' }, 403],
    ['with the token of another person', {}, { 'x-user': 'grace' }, 403],
    ['without the token of the form', { csrf: '' }, {}, 403],
    ['with the token of one email', { csrf: formToken(secret, 'ada', keyOf(1)) }, {}, 403],
    ['in an oversized form', { why: 'x'.repeat(200_000) }, {}, 413],
    ['with another content type', {}, { 'content-type': 'application/json' }, 415],
  ])('%s is refused', async (_, fields, headers, status) => {
    const { stage, ask, choose } = await scene(['401', '401'], { secret });
    const { form } = await choose();
    form.set('verdict', 'not-sent');
    form.set('count', '2');
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    for (const path of ['/doubts/resolve', '/doubts/confirm']) {
      expect((await ask(path, form, headers)).status).toBe(status);
    }
    expect(await ordersInDoubt(stage)).toEqual([1, 2]);
  });

  test('is never taken by a link, nor without authorize', async () => {
    const { stage, ask, choose } = await scene(['401'], { secret });
    const { form } = await choose();
    form.set('verdict', 'sent');
    form.set('count', '1');
    expect((await ask(`/doubts/resolve?${form.toString()}`)).status).toBe(405);
    const { ledger } = stage;
    const origin = await serve(nodeHandler(dashboard({ ledger, secret })));
    form.set('csrf', formToken(secret, 'this machine', 'doubts'));
    const init = { method: 'POST', body: form, headers: { origin } };
    expect((await fetch(`${origin}/doubts/resolve`, init)).status).toBe(403);
    expect(await ordersInDoubt(stage)).toEqual([1]);
  });

  test('is read behind the body parser of Express, with many ticked boxes', async () => {
    const stage = startStage();
    await addDoubts(
      stage,
      Array.from({ length: 45 }, () => '401'),
    );
    const { ledger } = stage;
    const app = express();
    app.use(express.urlencoded({ extended: true }));
    app.use(nodeHandler(dashboard({ ledger, authorize: byHeader, secret })));
    const server = createServer(app);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const form = new URLSearchParams({
      choose: 'ticked',
      csrf: formToken(secret, 'ada', 'doubts'),
    });
    for await (const { key, token } of ledger.list({ state: 'in-doubt' })) {
      form.append('pick', `${key}.${token}`);
    }
    const headers = { origin, 'x-user': 'ada' };
    const answered = await fetch(`${origin}/doubts/confirm`, {
      method: 'POST',
      body: form,
      headers,
    });
    expect(wordsOf(await answered.text())).toContain('One verdict for 45 emails');
  });
});

describe.skipIf(findChromium() === undefined)('in Chromium', { timeout: 120_000 }, () => {
  /** A day on which the key had expired, with real jobs. */
  async function open(count: number, path: string, { readMs = 0, javaScriptEnabled = true } = {}) {
    const stage = startStage();
    const { journal, queue } = stage;
    const ledger: Ledger = {
      ...stage.ledger,
      read: async (key) => {
        if (readMs > 0) await sleep(readMs);
        return stage.ledger.read(key);
      },
    };
    const jobs = await queue.addBulk(
      Array.from({ length: count }, (_, order) => ({ name: 'n', data: { order } })),
    );
    await Promise.all(
      jobs.map((job, index) =>
        doubtfulEmail(stage, keyOf(index), {
          label: `order ${index}`,
          note: index % 10 === 0 ? 'ETIMEDOUT' : '401',
          job: { queue: 'notices', id: job.id! },
        }),
      ),
    );
    const board = dashboard({ ledger, journal, queues: [queue], authorize: byHeader });
    const origin = await serve(nodeHandler(board));
    const extraHTTPHeaders = { 'x-user': 'ada' };
    const page = await openPage(
      origin,
      { extraHTTPHeaders, javaScriptEnabled },
      { allowed: /status of 400|ERR_FAILED/ },
    );
    await page.goto(origin + path);
    return { stage, origin, page };
  }

  test('1,800 of 2,000 are chosen by their cause and resolved, and the page is not reloaded', async () => {
    const { stage, page } = await open(2_000, '/doubts');
    await page.getByLabel('Cause begins with').fill('401');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('1,800 emails match.').waitFor();
    await page.getByRole('button', { name: 'Choose all 1,800 that match' }).click();
    await page.getByLabel('They were sent').check();
    await page.getByLabel('Type the number of emails').fill('1,800');
    await page.getByRole('button', { name: 'Record the verdict for all of them' }).click();
    await page.locator('#run-state').waitFor();
    await page.evaluate('window.isSamePage = true');
    await page.getByText('All are done.').waitFor({ timeout: 60_000 });
    expect(await page.evaluate('window.isSamePage')).toBe(true);
    expect(await page.locator('#run').textContent()).toMatch(/1,800\s+resolved as sent/);
    expect(await page.locator('progress').getAttribute('value')).toBe('1800');
    expect(await ordersInDoubt(stage)).toHaveLength(200);
    await page.getByRole('link', { name: 'To the emails in doubt' }).click();
    await page.getByText('No email in doubt matches.').waitFor();
  });

  test('without JavaScript, and by the keyboard alone', async () => {
    const { stage, page } = await open(3, '/doubts', { javaScriptEnabled: false });
    await tabTo(page, '[aria-label="Choose order 1"]');
    await page.keyboard.press('Space');
    await tabTo(page, 'button[value=ticked]');
    await page.keyboard.press('Enter');
    await page.getByText('One verdict for 1 email').waitFor();
    await tabTo(page, 'input[value=sent]');
    await page.keyboard.press('Space');
    await tabTo(page, '#count');
    await page.keyboard.type('1');
    await tabTo(page, 'main button');
    await page.keyboard.press('Enter');
    await page.getByText('All are done.').waitFor();
    expect(await stage.ledger.read(keyOf(1))).toMatchObject({ state: 'sent', resolvedBy: 'ada' });
  });

  test('if the server goes away, the page says so, and continues by its button', async () => {
    // So slow that one step does not reach the end.
    const { stage, page } = await open(400, '/doubts', { readMs: 60 });
    const away: boolean[] = [false, true];
    await page.route('**/doubts/resolve', (route) =>
      away.shift() ? route.abort() : route.continue(),
    );
    await page.getByRole('button', { name: 'Choose all 400 that match' }).click();
    await page.getByLabel('They were sent').check();
    await page.getByLabel('Type the number of emails').fill('400');
    await page.getByRole('button', { name: 'Record the verdict' }).click();
    await page.getByText('The server does not answer.').waitFor();
    const left = (await ordersInDoubt(stage)).length;
    expect(left).toBeGreaterThan(0);
    await page.getByRole('button', { name: `Continue with the other ${left}` }).click();
    await page.getByText('All are done.').waitFor();
    expect(await ordersInDoubt(stage)).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing, and the pages fit a telephone, %s',
    async (colorScheme) => {
      const { page, origin } = await open(60, '/doubts');
      const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
      const source = readFileSync(axe, 'utf8');
      await page.emulateMedia({ colorScheme });
      const check = async () => {
        await page.evaluate(source);
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { target: string[] }[] }[];
        }>("axe.run({ resultTypes: ['violations'] })");
        const found = violations.map(
          ({ id, nodes }) => `${id} ${JSON.stringify(nodes[0]?.target)}`,
        );
        expect(found).toEqual([]);
        await page.setViewportSize({ width: 375, height: 667 });
        const overflow =
          'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await page.evaluate(overflow)).toBe(0);
        await page.setViewportSize({ width: 1200, height: 900 });
      };
      await check();
      await page.goto(`${origin}/doubts?since=2026-02-02&until=2026-02-01`);
      await check();
      await page.goto(`${origin}/doubts`);
      await page.getByRole('button', { name: 'Choose all 60 that match' }).click();
      await page.getByLabel('Type the number').waitFor();
      await check();
      await page.getByLabel('They were not sent').check();
      await page.getByLabel('Type the number').fill('60');
      await page.getByRole('button', { name: 'Record the verdict' }).click();
      await page.getByText('All are done.').waitFor();
      await check();
    },
  );
});

/** By the Tab key alone. */
async function tabTo(page: Page, selector: string): Promise<void> {
  const wanted = page.locator(selector).first();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate(isFocused)) return;
  }
  throw new Error(`${selector} cannot be reached by the keyboard`);
}

/** Runs in the page. */
function isFocused(element: unknown): boolean {
  return (element as { matches(selector: string): boolean }).matches(':focus');
}
