import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

/**
 * Where a Chromium is: that of SENDONCE_CHROMIUM, of the PATH, or one that Playwright has
 * installed.
 */
export function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const places = [
    process.env['SENDONCE_CHROMIUM'],
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    chromium.executablePath(),
  ];
  return places.find((place) => place !== undefined && isProgram(place));
}

export const noChromium =
  'no Chromium: install one (apt-get install chromium), or name one by SENDONCE_CHROMIUM';

function isProgram(place: string): boolean {
  if (!existsSync(place)) return false;
  try {
    accessSync(place, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let browser: Promise<Browser> | undefined;

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/**
 * Opens a page in a new context. The test fails if the browser reports an error or asks another
 * site.
 */
export async function openPage(
  origin: string,
  options: BrowserContextOptions = {},
  { allowed = /^$/ }: { readonly allowed?: RegExp } = {},
): Promise<Page> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(noChromium);
  // Tests run as root here, where Chromium's sandbox does not.
  browser ??= chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const context = await (
    await browser
  ).newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) complaints.push(`asks ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints.filter((text) => !allowed.test(text))).toEqual([]);
  });
  return page;
}
