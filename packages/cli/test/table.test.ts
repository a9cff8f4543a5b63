import colors from 'picocolors';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { renderTable } from '../src/table.ts';

const paint = colors.createColors(false);
const columns = [
  { title: 'for', right: true },
  { title: 'label', mayShrink: true },
  { title: 'key' },
];

function renderRows(rows: readonly string[][], terminal: { columns?: number; env?: object } = {}) {
  const { columns: width, env = {} } = terminal;
  return renderTable(columns, rows, { paint, columns: width, env: { ...env } }).split('\n');
}

test('columns are aligned, also below characters that are two columns wide', () => {
  const labels = ['order 1', '注文 4711', '👍🏽 thumb', 'ｱ half', 'cafe\u0301', '🫨'];
  const lines = renderRows(labels.map((label, index) => [String(index), label, 'KEY']));
  const places = lines.slice(1).map((line) => stringWidth(line.slice(0, line.indexOf('KEY'))));
  // Two gaps of 2, below "for" and the widest label.
  const widest = Math.max(...labels.map((label) => stringWidth(label)));
  expect(new Set(places)).toEqual(new Set([3 + 2 + widest + 2]));
});

test('a long cell is cut between characters, and the row fits the width', () => {
  const [, line] = renderRows([['1', '注文'.repeat(30), 'KEY']], { columns: 40 });
  expect(line).toMatch(/^ {2}1 {2}(注文)*注?…\s+KEY$/);
  expect(stringWidth(line!)).toBeLessThanOrEqual(40);
});

test('in a pipe a row is whole, or as wide as COLUMNS says', () => {
  const rows = [['1', 'x'.repeat(300), 'KEY']];
  expect(renderRows(rows)[1]).toContain('x'.repeat(300));
  expect(renderRows(rows, { env: { COLUMNS: '120' } })[1]).toHaveLength(120);
  expect(renderRows(rows, { env: { COLUMNS: 'wide' } })[1]).toContain('x'.repeat(300));
  expect(renderRows(rows, { columns: 60, env: { COLUMNS: '120' } })[1]).toHaveLength(60);
});

test('an empty column is left out, and a control character is not passed on', () => {
  expect(renderRows([['', 'a\u001B[2Jb', 'KEY']])).toEqual(['label   key', 'a\uFFFD[2Jb  KEY']);
});
