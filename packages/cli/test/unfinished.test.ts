import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveKey } from '@sendonce/core';
import { expect, onTestFinished, test } from 'vitest';
import { openUnfinished } from '../src/unfinished.ts';

const doubtOf = (order: number) => ({
  key: deriveKey(['notice', order]),
  token: 't'.repeat(16),
  job: { queue: 'notices', id: `n-${order}` },
});

function startFolder() {
  const state = mkdtempSync(join(tmpdir(), 'sendonce-state-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  const env = { XDG_STATE_HOME: state };
  return {
    folder: join(state, 'sendonce'),
    open: (place: string) => openUnfinished(place, { env }),
  };
}

test('the emails that were under way are left to the next run, for the same ledger only', () => {
  const { folder, open } = startFolder();
  const killed = open('here');
  killed.begin(doubtOf(1));
  killed.begin(doubtOf(2));
  killed.end(doubtOf(1));
  killed.begin(doubtOf(3));
  expect(open('elsewhere').left).toEqual([]);
  // This process has the number of the one that was killed, as in a container.
  const next = open('here');
  expect(next.left).toEqual([doubtOf(2), doubtOf(3)]);
  next.begin(doubtOf(4));
  expect(readdirSync(folder)).toHaveLength(2);
  next.end(doubtOf(4));
  next.close({ leftDone: false });
  expect(open('here').left).toEqual([doubtOf(2), doubtOf(3)]);
  open('here').close({ leftDone: true });
  expect(readdirSync(folder)).toEqual([]);
});

test('a run that could not retry a job leaves its file', () => {
  const { open } = startFolder();
  const first = open('here');
  first.begin(doubtOf(1));
  first.close({ leftDone: true });
  expect(open('here').left).toEqual([doubtOf(1)]);
});

test('a file is for its user only, and one that is old or broken names nothing', () => {
  const { folder, open } = startFolder();
  open('here').begin(doubtOf(1));
  const [name = ''] = readdirSync(folder);
  const file = join(folder, name);
  expect([statSync(folder).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
  const saved = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...saved, atMs: Date.now() - 2 * 60 * 60 * 1000 }));
  expect(open('here').left).toEqual([]);
  writeFileSync(file, JSON.stringify(saved).slice(0, -3));
  expect(open('here').left).toEqual([]);
});

test('the file of a process that still runs is left alone', () => {
  const { folder, open } = startFolder();
  open('here').begin(doubtOf(1));
  const [name = ''] = readdirSync(folder);
  // The parent of this process runs.
  const other = name.replace(`-${process.pid}-`, `-${process.ppid}-`);
  writeFileSync(join(folder, other), readFileSync(join(folder, name)));
  rmSync(join(folder, name));
  expect(open('here').left).toEqual([]);
});
