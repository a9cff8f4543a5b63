import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from '@sendonce/bullmq';
import { deriveKey } from '@sendonce/core';
import { eventually, startSmtpServer, startWorkerProcess } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import type { Job } from 'bullmq';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { dashboard, nodeHandler } from '../src/index.ts';
import { closeBrowser, findChromium, noChromium, openPage } from './chromium.ts';
import { type SendingWorker, sendingProcessor } from './fixtures/sending-worker.ts';
import {
  byHeader,
  doubtfulEmail,
  LEASE_MS,
  serve,
  type Stage,
  startStage,
  stateOf,
} from './stage.ts';

const found = findChromium();
afterAll(closeBrowser);

if (found === undefined) {
  test('a browser is there', ({ skip }) => {
    if (process.env['CI'] === 'true') throw new Error(noChromium);
    skip(noChromium);
  });
}

describe.skipIf(found === undefined)('in Chromium', { timeout: 60_000 }, () => {
  test('32 copies of a job: 1 sent and 31 prevented, shown while the page is open', async () => {
    const stage = startStage();
    const { ledger, journal } = stage;
    const page = await open(stage);
    expect(await tile(page, 'past', 'Sent')).toBe('0');

    const processor = once(async () => ({ messageId: 'm' }), {
      ledger,
      journal,
      key: (job: Job) => ['notice', job.data.order],
      label: (job: Job) => `order ${job.data.order}`,
    });
    // No worker dies here, and on a busy machine a short lock would run a job twice.
    stage.worker(processor, { lockMs: 30_000 });
    const copies = Array.from({ length: 32 }, () => stage.queue.add('n', { order: 4711 }));
    for (const job of await Promise.all(copies)) await stateOf(stage.queue, job.id, 'completed');

    await eventually(async () => {
      expect(await tile(page, 'past', 'Sent')).toBe('1');
      expect(await tile(page, 'past', 'Duplicates prevented')).toBe('31');
    });
    expect(await tile(page, 'now', 'In doubt')).toBe('0');

    // By its label, and by the parts of its key: the only hit is shown at once.
    for (const words of ['order 4711', 'notice 4711']) {
      await page.fill('#q', words);
      await page.press('#q', 'Enter');
      await page.waitForURL(`**/email/${deriveKey(['notice', 4711])}`);
    }
    expect(await page.locator('h1').textContent()).toBe('order 4711');
    expect(await page.locator('#state .badge').textContent()).toBe('sent');
    const folded = page.locator('.step.duplicate');
    expect(await folded.locator('th').textContent()).toMatch(/duplicate prevented\s*×31/);
    await folded.getByText('and 30 others').click();
    expect(await folded.locator('li').count()).toBe(30);
    expect(await page.locator('.step.sent').count()).toBe(1);
  });

  test('killed before its email left: the doubt appears without a reload, and "not sent" sends it', async () => {
    const stage = startStage();
    const { smtp, next, kill } = await sender(stage);
    const page = await open(stage);
    expect(await page.locator('#summary').textContent()).toContain('No email is in doubt.');

    const job = await stage.queue.add('n', { order: 7 });
    await kill('dispatched');
    const doubt = page.locator('#doubts a', { hasText: 'order 7' });
    await doubt.waitFor();
    expect(await page.locator('#summary').innerText()).toContain('1 email is in doubt');
    const row = (await page.locator('.doubts tbody tr').textContent())?.replace(/\s+/g, ' ');
    expect(row).toMatch(/order 7 under a minute .+ notices:1 \S+:\d+ .*\d{4}-\d\d-\d\d [\d:]{8}/);

    next();
    await stateOf(stage.queue, job.id, 'failed');
    expect(smtp.received).toHaveLength(0);
    // Three clicks: the email, the verdict, the answer.
    await doubt.click();
    await page.fill('#why', 'not in the log of the mail server');
    await page.getByRole('button', { name: 'It was not sent' }).click();
    await page.getByRole('button', { name: 'Yes, send it' }).click();
    await page.getByText('Its job was retried.').waitFor();
    await stateOf(stage.queue, job.id, 'completed');
    await eventually(async () =>
      expect(await page.locator('#state .badge').textContent()).toBe('sent'),
    );
    expect(smtp.received).toHaveLength(1);
    // The journal tells its steps a moment after the record has the state.
    await eventually(async () => {
      const steps = await page.locator('.steps tbody th').allTextContents();
      expect(steps).toContain('resolved: it was not sent');
      expect(steps.at(-1)).toBe('sent');
    });
    const resolved = await page.locator('.step.resolved-not-sent').textContent();
    expect(resolved).toContain('ada');
    expect(resolved).toContain('not in the log of the mail server');
  });

  test('killed after its email left: "sent", said by the keyboard, and the retried job is a duplicate', async () => {
    const stage = startStage();
    const { smtp, next, kill } = await sender(stage);
    const page = await open(stage);
    const job = await stage.queue.add('n', { order: 8 });
    await kill('left');
    await page.locator('#doubts a', { hasText: 'order 8' }).waitFor();
    next();
    await stateOf(stage.queue, job.id, 'failed');

    await tabTo(page, 'order 8');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/email/*');
    await tabTo(page, 'It was sent');
    await page.keyboard.press('Enter');
    await page.getByText('it is not sent again').waitFor();
    expect(smtp.received).toHaveLength(1);
    await tabTo(page, 'Yes, it was sent');
    await page.keyboard.press('Enter');
    await page.getByText('Its job was retried.').waitFor();
    await stateOf(stage.queue, job.id, 'completed');
    await eventually(async () => expect(await page.locator('.step.duplicate').count()).toBe(1));
    expect(await page.locator('#state .badge').textContent()).toBe('sent');
    expect(smtp.received).toHaveLength(1);
  });

  test('a second person, without JavaScript, loses politely: who decided, and what', async () => {
    const stage = startStage();
    const key = deriveKey(['notice', 9]);
    await doubtfulEmail(stage, key, { label: 'order 9' });
    const origin = await start(stage);
    const ada = await openPage(origin, { extraHTTPHeaders: { 'x-user': 'ada' } });
    const grace = await openPage(
      origin,
      { extraHTTPHeaders: { 'x-user': 'grace' }, javaScriptEnabled: false },
      { allowed: /status of 409/ },
    );
    for (const page of [ada, grace]) await page.goto(`${origin}/emails/email/${key}`);
    await ada.fill('#why', 'the customer has it');
    await ada.getByRole('button', { name: 'It was sent' }).click();
    await ada.getByRole('button', { name: 'Yes, it was sent' }).click();
    await ada.getByText('Your verdict is recorded: it was sent.').waitFor();

    const answered = grace.waitForResponse((response) => response.url().endsWith('/resolve'));
    await grace.getByRole('button', { name: 'It was not sent' }).click();
    expect((await answered).status()).toBe(409);
    const text = (await grace.locator('main').textContent())?.replace(/\s+/g, ' ');
    expect(text).toContain('It was resolved before');
    expect(text).toContain('Resolved by ada: it was sent (the customer has it).');
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'sent' });
  });

  test('what is being typed stays while the page changes', async () => {
    const stage = startStage();
    const key = deriveKey(['notice', 10]);
    await doubtfulEmail(stage, key, { label: 'order 10' });
    const { ledger, journal } = stage;
    const board = dashboard({ ledger, journal, authorize: byHeader });
    const origin = await serve(nodeHandler(board));
    const page = await openPage(origin, { extraHTTPHeaders: { 'x-user': 'ada' } });
    await page.goto(`${origin}/email/${key}`);
    await page.getByText('Live: this page is updated automatically.').waitFor();
    await page.locator('#why').pressSequentially('the mail lo');
    // The next stream begins with all that there is, the form as well.
    const next = page.waitForRequest(/events/);
    await board.close();
    await next;
    const job = { queue: 'notices', id: '2' };
    journal.write({ key, type: 'busy', atMs: Date.now(), job });
    await page.locator('.step.busy').waitFor();
    await page.keyboard.type('g');
    expect(await page.locator('#why').inputValue()).toBe('the mail log');
  });

  test('the page says when the server is away, and updates again when it is back', async () => {
    const stage = startStage();
    const { ledger, journal } = stage;
    const handler = nodeHandler(dashboard({ ledger, journal }));
    const server = createServer(handler);
    const listen = (port: number) =>
      new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
    const close = async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      server.closeAllConnections();
      await closed;
    };
    await listen(0);
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const page = await openPage(origin, {}, { allowed: /Failed to load resource|ERR_/ });
    onTestFinished(close);
    await page.goto(origin);
    await page.getByText('Live: this page is updated automatically.').waitFor();
    await close();
    await page.getByText('Not live: the server does not answer.').waitFor();
    await doubtfulEmail(stage, deriveKey(['notice', 11]), { label: 'order 11' });
    await listen(port);
    await page.locator('#doubts a', { hasText: 'order 11' }).waitFor();
    await page.getByText('Live: this page is updated automatically.').waitFor();
  });
});

/** The dashboard of a stage, under /emails. */
async function start({ ledger, journal, queue }: Stage): Promise<string> {
  const options = { ledger, journal, queues: [queue], authorize: byHeader, basePath: '/emails' };
  return serve(nodeHandler(dashboard(options)));
}

async function open(stage: Stage): Promise<Page> {
  const origin = await start(stage);
  const page = await openPage(origin, { extraHTTPHeaders: { 'x-user': 'ada' } });
  await page.goto(`${origin}/emails`);
  await page.getByText('Live: this page is updated automatically.').waitFor();
  return page;
}

/** A worker process that is killed at a point, and the worker that comes after it. */
async function sender(stage: Stage) {
  const smtp = await startSmtpServer();
  stage.onEnd(() => smtp.close());
  const { prefix } = stage;
  const data: SendingWorker = {
    redisUrl: redisUrl(),
    prefix,
    smtpUrl: smtp.url,
    leaseMs: LEASE_MS,
  };
  return {
    smtp,
    kill: async (point: 'dispatched' | 'left') => {
      const file = new URL('fixtures/sending-worker.ts', import.meta.url);
      const worker = await startWorkerProcess({ file, data, armed: { [point]: 'halt' } });
      await worker.waitFor(point);
      await worker.kill();
    },
    next: () => {
      const { processor, close } = sendingProcessor(data);
      stage.onEnd(close);
      stage.worker(processor);
    },
  };
}

async function tile(page: Page, part: string, name: string): Promise<string> {
  const tiles = page.locator(`#${part} .tile`);
  const one = tiles.filter({ has: page.getByText(name, { exact: true }) });
  return (await one.locator('dd').textContent())?.trim() ?? '';
}

/** By the Tab key alone. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate('document.activeElement.textContent');
    if (String(focused).trim() === text) return;
  }
  throw new Error(`"${text}" cannot be reached by the keyboard`);
}
