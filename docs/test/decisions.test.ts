import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './page.ts';

const folder = join(root, 'docs/decisions');
const files = readdirSync(folder).filter((file) => /^\d{4}-/.test(file));

/** The number, title, date and status that a decision begins with. */
const HEAD = /^# (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\.\nStatus: (.+)\.\n\n/;

test.each(files)(
  'the decision %s has a head and says context, decision and consequence',
  (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const [, number] = HEAD.exec(text) ?? [];
    expect(number?.padStart(4, '0')).toBe(file.slice(0, 4));
    expect(text.match(/^## .*/gm)).toEqual(['## Context', '## Decision', '## Consequence']);
  },
);

test('the index of the decisions lists each one with its title, date and status', () => {
  const rows = files.map((file) => {
    const [, number, title, date, status] = HEAD.exec(readFileSync(join(folder, file), 'utf8'))!;
    return [number, `[${title}](${file})`, date, status];
  });
  const index = readFileSync(join(folder, 'README.md'), 'utf8');
  const listed = index.split('\n').filter((line) => /^\| +\d/.test(line));
  expect(
    listed.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
  ).toEqual(rows);
});
