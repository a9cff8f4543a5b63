import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { causeMessages, type Messages } from './error-messages.ts';
import { codesInSources, folder, messageOf, nameOf, pageOf } from './error-pages.ts';

const codes = codesInSources();
const index = readFileSync(join(folder, 'index.md'), 'utf8');
const headings = [
  'The message',
  'What happened',
  'Was the email sent?',
  'What to do',
  'How to prevent it',
  'Related',
];

test('every error code has its page, and every page its code', () => {
  expect(codes.length).toBeGreaterThan(30);
  const pages = readdirSync(folder).filter((name) => name !== 'index.md');
  expect(pages.toSorted()).toEqual(codes.map((code) => `${nameOf(code)}.md`).toSorted());
});

test.each(codes)('the page of %s has all headings, and a row in the index', (code) => {
  const page = readFileSync(pageOf(code), 'utf8');
  expect(page.startsWith(`# ${code}\n`)).toBe(true);
  expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(headings);
  expect(index).toMatch(new RegExp(`^\\| \\[${code}\\]\\(${nameOf(code)}\\.md\\) +\\|`, 'm'));
});

/** Their cause is a clock or a right of the server: their text is copied from the source. */
const notCaused = ['SENDONCE_CLOCK', 'SENDONCE_SWEEP', 'SENDONCE_USAGE'];

describe('the message on a page is the one that is printed', () => {
  let messages: Messages;
  beforeAll(async () => {
    messages = await causeMessages();
  });

  test.each(codes.filter((code) => !notCaused.includes(code)))('%s', (code) => {
    const shown = messageOf(readFileSync(pageOf(code), 'utf8'));
    expect(shown, 'Run npx tsx docs/test/write-error-messages.ts').toBe(messages[code]);
  });
});
