import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deriveKey, type JournalType } from '@sendonce/core';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { dashboard, nodeHandler } from '../src/index.ts';
import { closeBrowser, findChromium, openPage } from './chromium.ts';
import { byHeader, doubtfulEmail, serve, type Stage, startStage } from './stage.ts';

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
const HOUR_MS = 60 * 60 * 1000;
const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;

afterAll(closeBrowser);

// If there is no browser, browser.test.ts reports it.
describe.skipIf(findChromium() === undefined)('the pages', { timeout: 60_000 }, () => {
  test.each(['light', 'dark'] as const)(
    'fit a telephone and can be read, %s; screenshots are kept',
    async (colorScheme) => {
      mkdirSync(folder, { recursive: true });
      const stage = startStage();
      const key = await fill(stage);
      const { ledger, journal, queue } = stage;
      const board = dashboard({ ledger, journal, queues: [queue], authorize: byHeader });
      const origin = await serve(nodeHandler(board));
      const headers = { 'x-user': 'ada' };
      const page = await openPage(origin, { colorScheme, extraHTTPHeaders: headers });
      const shown = [
        ['overview', '/'],
        ['week', '/?days=7'],
        ['email', `/email/${key}`],
      ] as const;
      for (const [name, path] of shown) {
        await page.setViewportSize({ width: 1200, height: 900 });
        await page.goto(origin + path);
        await page.getByText('Live: this page is updated automatically.').waitFor();
        await page.screenshot({ path: `${folder}${name}-${colorScheme}.png`, fullPage: true });
        expect(await weakTexts(page)).toEqual([]);
        await page.setViewportSize({ width: 375, height: 667 });
        const overflow =
          'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await page.evaluate(overflow)).toBe(0);
        await page.screenshot({
          path: `${folder}${name}-${colorScheme}-narrow.png`,
          fullPage: true,
        });
      }
    },
  );

  test('have one h1, headings in order, names on all fields, captions on all tables', async () => {
    const stage = startStage();
    const key = await fill(stage);
    const { ledger, journal } = stage;
    const origin = await serve(nodeHandler(dashboard({ ledger, journal, authorize: byHeader })));
    const page = await openPage(origin, { extraHTTPHeaders: { 'x-user': 'ada' } });
    for (const path of ['/', `/email/${key}`, '/find', '/find?q=notices:1']) {
      await page.goto(origin + path);
      const levels = await page.evaluate<number[]>(
        "[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.localName[1]))",
      );
      expect(levels[0]).toBe(1);
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      expect(Math.max(...levels)).toBeLessThan(3);
      const unnamed = `[...document.querySelectorAll('input:not([type=hidden]),textarea')].filter((f) => f.labels.length === 0).length
        + [...document.querySelectorAll('table')].filter((t) => !t.caption?.textContent.trim()).length
        + [...document.querySelectorAll('[id]')].filter((e, i, all) => all.findIndex((o) => o.id === e.id) !== i).length`;
      expect(await page.evaluate(unnamed)).toBe(0);
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
    }
  });
});

/** A day and a week of a shop, and some doubts; returns the key of one of them. */
async function fill(stage: Stage): Promise<string> {
  const { journal } = stage;
  const write = (type: JournalType, atMs: number, index: number) =>
    journal.write({ key: deriveKey(['filled', index % 40]), type, atMs });
  for (let hour = 0; hour < 7 * 24; hour += 1) {
    const atMs = Date.now() - hour * HOUR_MS;
    const day = Math.max(0, Math.sin(((new Date(atMs).getUTCHours() - 6) / 24) * 2 * Math.PI));
    const sent = Math.round(3 + 38 * day + ((hour * 7) % 5));
    for (let index = 0; index < sent; index += 1) write('sent', atMs, index);
    for (let index = 0; index < (hour % 9 === 4 ? 31 : sent / 6); index += 1)
      write('duplicate', atMs, index);
    if (hour % 11 === 2) write('in-doubt', atMs, hour);
    if (hour % 17 === 5) write('rejected', atMs, hour);
    if (hour % 23 === 7) write('cancelled', atMs, hour);
    if (hour % 20 === 0) await journal.flush();
  }
  for (const order of [4711, 4712]) {
    await doubtfulEmail(stage, deriveKey(['notice', order]), {
      label: `order ${order}`,
      job: { queue: 'notices', id: String(order) },
    });
  }
  const key = deriveKey(['notice', 4713]);
  const told = {
    key,
    job: { queue: 'notices', id: '1' },
    label: 'order 4713',
    token: 'abcdef',
    worker: 'mail-3:4182',
  };
  journal.write({ ...told, type: 'claimed', atMs: minutesAgo(64) });
  journal.write({ ...told, type: 'released', atMs: minutesAgo(63), note: 'ECONNREFUSED' });
  await doubtfulEmail(stage, key, { label: 'order 4713' });
  const copy = { key, job: { queue: 'notices', id: '2' }, worker: 'mail-1:77' };
  journal.write({ ...copy, type: 'busy', atMs: Date.now() + 20 });
  await journal.flush();
  return key;
}

/** Texts whose contrast against what is behind them is below 4.5 (WCAG AA). */
async function weakTexts(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (color) => {
      const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (channels(color)[3] !== 0) return color;
      }
      return 'rgb(255, 255, 255)';
    };
    const weak = [];
    for (const element of document.querySelectorAll('body *:not(title)')) {
      if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
      const style = getComputedStyle(element);
      const color = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
      const [one, other] = [light(color), light(behind(element))].toSorted((a, b) => b - a);
      const contrast = (one + 0.05) / (other + 0.05);
      if (contrast < 4.5) weak.push([element.localName, element.textContent.trim().slice(0, 40), contrast]);
    }
    return weak;
  })()`);
}
