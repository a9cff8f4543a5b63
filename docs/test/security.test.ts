import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('every test that the table of abuse names is there', () => {
  const page = readFileSync(`${root}docs/security.md`, 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (?!what was tried|-)/.test(line));
  const files = rows.map((row) => /`([^`]+\.test\.ts)` *\|$/.exec(row)?.[1]);
  expect(files.length).toBeGreaterThan(15);
  expect(files.filter((file) => file === undefined || !existsSync(root + file))).toEqual([]);
});
