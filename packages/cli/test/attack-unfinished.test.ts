import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openUnfinished } from '../src/unfinished.ts';

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'sendonce-state-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return { env: { XDG_STATE_HOME: path }, files: () => readdirSync(join(path, 'sendonce')), path };
}
const doubt = { key: 'k'.repeat(22), token: 't'.repeat(16), job: { queue: 'notices', id: '1' } };

test('in a container each run has the same process id: the file of a killed run is found', () => {
  const { env } = folder();
  // Killed after its first verdict: no end(), no close().
  openUnfinished('redis://x', { env }).begin(doubt);
  const next = openUnfinished('redis://x', { env });
  expect(next.left).toEqual([doubt]);
});

test('... and is not written over by the next run', () => {
  const { env, files, path } = folder();
  openUnfinished('redis://x', { env }).begin(doubt);
  const next = openUnfinished('redis://x', { env });
  const other = { ...doubt, key: 'o'.repeat(22) };
  next.begin(other);
  next.end(other);
  next.close({ leftDone: true });
  const kept = files().map((name) => readFileSync(join(path, 'sendonce', name), 'utf8'));
  expect([...kept, JSON.stringify(next.left)].join()).toContain(doubt.key);
});

test('a file that is older than an hour is not thrown away unread', () => {
  const { env, files, path } = folder();
  openUnfinished('redis://x', { env }).begin(doubt);
  const [name] = files();
  const old = join(path, 'sendonce', name!.replace(`-${process.pid}`, '-99999999'));
  writeFileSync(old, JSON.stringify({ atMs: Date.now() - 3_700_000, doubts: [doubt] }));
  rmSync(join(path, 'sendonce', name!));
  const next = openUnfinished('redis://x', { env });
  next.close({ leftDone: true });
  // A person can still find its job: in `left`, or in the file.
  expect(next.left.length + files().length).toBeGreaterThan(0);
});
