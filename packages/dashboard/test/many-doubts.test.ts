import { deriveKey } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { formToken } from '../src/csrf.ts';
import { dashboard, nodeHandler } from '../src/index.ts';
import { closeBrowser, findChromium, openPage } from './chromium.ts';
import { scene } from './scene.ts';
import { byHeader, doubtfulEmail, RETENTION_MS, serve, type Stage, startStage } from './stage.ts';

const telephone = { width: 375, height: 667 };
const key = deriveKey(['notice', 7]);
afterAll(closeBrowser);

/** `count` emails in doubt; each third has another cause. */
async function addDoubts(stage: Stage, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const order = 4000 + index;
    await doubtfulEmail(stage, deriveKey(['notice', order]), {
      label: `order ${order}`,
      note: index % 3 === 0 ? 'ECONNRESET' : 'ETIMEDOUT',
      job: { queue: 'notices', id: String(order) },
    });
  }
}

/** The dashboard of a stage, and a page of it. */
async function open(stage: Stage, path: string, javaScriptEnabled = true): Promise<Page> {
  const { ledger, journal, queue } = stage;
  const options = { ledger, journal, queues: [queue], authorize: byHeader };
  const origin = await serve(nodeHandler(dashboard(options)));
  const page = await openPage(
    origin,
    { extraHTTPHeaders: { 'x-user': 'ada' }, javaScriptEnabled },
    { allowed: /status of (409|404)/ },
  );
  await page.goto(origin + path);
  return page;
}

async function listedOrders(page: Page): Promise<readonly string[]> {
  return (await page.locator('.doubts tbody th').allTextContents()).map((text) => text.trim());
}

describe.skipIf(findChromium() === undefined)('in Chromium', { timeout: 60_000 }, () => {
  test('155 doubts are grouped by cause and paged, and the numbers come before them', async () => {
    const stage = startStage();
    await addDoubts(stage, 155);
    const page = await open(stage, '/');
    for (const id of ['now', 'past']) {
      const box = await page.locator(`#${id} .tile`).first().boundingBox();
      expect(box!.y + box!.height).toBeLessThan(900);
    }
    const past = await page.locator('#past').boundingBox();
    expect((await page.locator('#doubts').boundingBox())!.y).toBeGreaterThan(past!.y);
    const first = await listedOrders(page);
    expect(first).toHaveLength(25);
    expect(first).toContain('order 4000');
    const causes = page.getByRole('navigation', { name: 'Causes' });
    const names = (await causes.locator('a').allTextContents()).map((text) =>
      text.replace(/\s+/g, ' ').trim(),
    );
    expect(names).toEqual(['All 155', 'ETIMEDOUT 103', 'ECONNRESET 52']);

    // Each of the younger ones is reached.
    const seen = new Set(await listedOrders(page));
    const younger = page.getByRole('link', { name: 'Younger' });
    while ((await younger.count()) > 0) {
      await younger.click();
      await page.waitForLoadState();
      for (const order of await listedOrders(page)) seen.add(order);
    }
    expect(seen.size).toBe(155);
    expect(await page.locator('.pages span').textContent()).toMatch(/151–155 of\s+155/);

    await causes.getByText('ECONNRESET').click();
    await page.locator('.pages span', { hasText: '1–25 of' }).waitFor();
    expect(await page.locator('.pages span').textContent()).toMatch(/1–25 of\s+52/);
    expect(new Set(await page.locator('.doubts td.cause').allTextContents())).toEqual(
      new Set(['ECONNRESET']),
    );
    // An open page stays on its part of the list.
    await page.getByText('Live: this page is updated automatically.').waitFor();
    await doubtfulEmail(stage, key, { label: 'order 7', note: 'ECONNRESET' });
    await page.locator('#summary', { hasText: '156 emails' }).waitFor();
    expect(await page.locator('.pages span').textContent()).toMatch(/1–25 of\s+53/);
    const head = (await page.locator('.doubts thead th').allTextContents()).map((t) => t.trim());
    expect(head).toContain('For');
  });

  test.each(['/', '/?days=7'])(
    'at 375 px the axis of %s is visible, and the bars are scrolled by the keyboard',
    async (path) => {
      const stage = startStage();
      for (let hour = 0; hour < 30; hour += 1) {
        const atMs = Date.now() - hour * 3_600_000;
        for (let index = 0; index < 30; index += 1)
          stage.journal.write({ key, type: 'sent', atMs });
      }
      await stage.journal.flush();
      const page = await open(stage, path);
      await page.setViewportSize(telephone);
      const axis = page.locator('.axis');
      await axis.scrollIntoViewIfNeeded();
      for (const text of await axis.locator('text').all()) {
        const box = (await text.boundingBox())!;
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThan(telephone.width);
        // Letters that can be read.
        expect(box.height).toBeGreaterThan(11);
      }
      const plot = page.getByRole('region', { name: 'Bars by the hour' });
      await plot.focus();
      expect(await plot.evaluate('document.activeElement.className')).toBe('plot');
      const scroll = 'document.querySelector(".plot").scrollLeft';
      const before = Number(await page.evaluate(scroll));
      const isWider =
        'document.querySelector(".plot").scrollWidth > document.querySelector(".plot").clientWidth';
      if (await page.evaluate(isWider)) {
        await page.keyboard.press('ArrowLeft');
        await eventually(async () => expect(await page.evaluate(scroll)).not.toBe(before));
      }
      // The axis does not scroll.
      expect((await axis.boundingBox())!.x).toBeLessThan(40);
      const overflow =
        'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(overflow)).toBe(0);
    },
  );

  test('the two verdicts look different', async () => {
    const stage = startStage();
    await doubtfulEmail(stage, key, { label: 'order 7' });
    const page = await open(stage, `/email/${key}`);
    const looks = await Promise.all(
      ['button.sent', 'button.not-sent'].map((button) =>
        page.evaluate(`getComputedStyle(document.querySelector('${button}')).backgroundColor`),
      ),
    );
    expect(looks[0]).not.toEqual(looks[1]);
  });

  test('each verdict asks back, without JavaScript', async () => {
    const stage = startStage();
    await doubtfulEmail(stage, key, { label: 'order 7' });
    const page = await open(stage, `/email/${key}`, false);
    await page.fill('#why', 'the log');
    await page.getByRole('button', { name: 'It was not sent' }).click();
    await page.getByText('the customer gets this email twice').waitFor();
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
    await page.getByText('No, back to the email').click();
    await page.getByText('Was it sent?').waitFor();
    await page.fill('#why', 'the log');
    await page.getByRole('button', { name: 'It was sent', exact: true }).click();
    await page.getByText('it is not sent again').waitFor();
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
    await page.getByRole('button', { name: 'Yes, it was sent' }).click();
    await page.getByText('Your verdict is recorded: it was sent.').waitFor();
    expect(await stage.ledger.read(key)).toMatchObject({
      state: 'sent',
      resolvedBy: 'ada: the log',
    });
  });

  test.each(['sent', 'not-sent'] as const)(
    'an open page says who decided "%s" meanwhile',
    async (verdict) => {
      const stage = startStage();
      const token = await doubtfulEmail(stage, key, { label: 'order 7' });
      const page = await open(stage, `/email/${key}`);
      await page.getByText('Live: this page is updated automatically.').waitFor();
      const by = 'grace';
      const found = { key, token, verdict, by, retentionMs: RETENTION_MS };
      await stage.ledger.resolve(found);
      const entry = { key, type: `resolved-${verdict}`, atMs: Date.now(), by, note: 'ticket 9' };
      stage.journal.write(entry as never);
      await stage.journal.flush();
      await page.locator('#state', { hasText: 'Resolved by grace' }).waitFor();
      expect(await page.locator('#verdict').textContent()).toBe('');
    },
  );
});

test('a form that is older than the server says who decided, if the email is not in doubt any more', async () => {
  const { stage, token, ask } = await scene();
  const { ledger } = stage;
  const old = { csrf: formToken('x'.repeat(32), 'ada', key), token, verdict: 'not-sent' };
  const headers = { 'sec-fetch-site': 'same-origin' };
  const post = () =>
    ask(`/email/${key}/resolve`, { method: 'POST', body: new URLSearchParams(old), headers });
  expect((await post()).status).toBe(403);
  await ledger.resolve({ key, token, verdict: 'sent', by: 'grace', retentionMs: RETENTION_MS });
  const late = await post();
  expect(late.status).toBe(409);
  expect(await late.text()).toContain('It was resolved by <bdi>grace</bdi>');
});
