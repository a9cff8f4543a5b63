import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe.each(['docs/guarantees.md', 'docs/when-twice.md'])('%s', (page) => {
  const text = readFileSync(root + page, 'utf8');
  const references = [...text.matchAll(/^- (\[[A-Za-z]\]) `([^`]+)`: "(.+?)"(?:,|$)/gm)];

  test.each(references.map(([, letter = '', file = '', title = '']) => ({ letter, file, title })))(
    'the test that $letter names is there',
    ({ letter, file, title }) => {
      expect(readFileSync(root + file, 'utf8')).toContain(title);
      const cells = text.split('\n').filter((line) => line.startsWith('| '));
      expect(cells.join('\n')).toContain(letter);
    },
  );

  test('every letter of the table names a test', () => {
    const used = new Set(text.match(/\[[A-Za-z]\]/g));
    expect(new Set(references.map(([, letter]) => letter))).toEqual(used);
    expect(used.size).toBeGreaterThan(10);
  });
});
