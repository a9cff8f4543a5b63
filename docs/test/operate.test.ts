import { readFileSync } from 'node:fs';
import { memoryLedger, once } from '@sendonce/bullmq';
import { expect, test } from 'vitest';
import { root } from './page.ts';

const page = readFileSync(`${root}docs/operate.md`, 'utf8');

test('the operations table has a row for every event', () => {
  const { counters } = once(async () => {}, { ledger: memoryLedger(), key: () => 1 });
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, event]) => event);
  const ofJournal = ['scheduled', 'rescheduled', 'resolved-sent', 'resolved-not-sent'];
  expect(rows.toSorted()).toEqual([...Object.keys(counters), ...ofJournal].toSorted());
});

test('the operations page names every alert rule, and no other', () => {
  const rules = readFileSync(`${root}docs/observability/sendonce.rules.yml`, 'utf8');
  const inRules = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name);
  expect(inRules.length).toBeGreaterThan(5);
  const onPage = new Set(page.match(/\bSendonce[A-Z]\w+/g));
  expect([...onPage].toSorted()).toEqual(inRules.toSorted());
});
