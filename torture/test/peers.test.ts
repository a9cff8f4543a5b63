import { expect, test } from 'vitest';
import { parseArguments } from '../src/peers/arguments.ts';
import { fieldOf } from '../src/peers/field.ts';
import { writeInto } from '../src/peers/markdown.ts';
import { type Cell, runPeers } from '../src/peers/run.ts';

test('the faults strike: what is certain comes out', { timeout: 600_000 }, async () => {
  const { cells, servers } = await runPeers({
    systems: ['bare', 'set-nx-forever', 'redis'],
    faults: ['copies-at-once', 'kill-before', 'lost-reply'],
    emails: 2,
  });
  const fields = cells.map((cell) => `${cell.system}, ${cell.fault}: ${fieldOf(cell)}`);
  expect(fields.toSorted()).toEqual([
    'bare, copies-at-once: 32',
    'bare, kill-before: 1',
    'bare, lost-reply: –',
    'redis, copies-at-once: 1',
    'redis, kill-before: 1',
    'redis, lost-reply: 1',
    'set-nx-forever, copies-at-once: 1',
    'set-nx-forever, kill-before: 0, lost',
    'set-nx-forever, lost-reply: 0, lost',
  ]);
  expect(servers.join()).toContain('Redis');
});

const cell: Cell = {
  system: 'bare',
  fault: 'throws',
  counts: { wanted: 4, left: 7, lost: 1, needPerson: 4 },
};

test('a field says how many left, how many are lost and how many need a person', () => {
  expect(fieldOf(cell)).toBe('1.75, 1 of 4 lost, person');
});

test('the tables go between the markers, and what is around them stays', () => {
  const page =
    'above\n<!-- written by pnpm torture:peers --write -->\nold\n<!-- until here -->\nbelow';
  const written = writeInto(page, {
    cells: [cell],
    servers: ['Redis 7'],
    systems: ['bare'],
    faults: ['throws'],
    emails: 4,
    tookMs: 1_000,
  });
  expect(written).toMatch(/^above\n<!--/);
  expect(written).toMatch(/-->\nbelow$/);
  expect(written).toMatch(/\| the processor throws +\| 1\.75, 1 of 4 lost, person +\|/);
  expect(written).not.toContain('old');
});

test('a page without the markers is not touched', () => {
  const run = { cells: [], servers: [], systems: [], faults: [], emails: 1, tookMs: 1 } as const;
  expect(() => writeInto('no markers', run)).toThrow('The page has no');
});

test.for([
  { argv: ['--system', 'bear'], says: 'Unknown --system "bear"' },
  { argv: ['--fault', 'luck'], says: 'Unknown --fault "luck"' },
  { argv: ['--emails', '0'], says: 'Wrong --emails "0"' },
  { argv: ['--write', '--fault', 'none'], says: 'for the whole table' },
  { argv: ['--wrong'], says: "Unknown option '--wrong'" },
])('a wrong command line is refused: $argv', ({ argv, says }) => {
  expect(() => parseArguments(argv)).toThrow(says);
});
