import { readFileSync } from 'node:fs';
import { memoryLedger, once } from '@sendonce/bullmq';
import { expect, test } from 'vitest';
import { root } from './page.ts';

const page = readFileSync(`${root}docs/operate.md`, 'utf8');

test('the operations table has a row for every event', () => {
  const { counters } = once(async () => {}, { ledger: memoryLedger(), key: () => 1 });
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, event]) => event);
  const ofJournal = ['scheduled', 'rescheduled', 'resolved-sent', 'resolved-not-sent'];
  const events = [...Object.keys(counters), ...ofJournal];
  expect(new Set(rows)).toEqual(new Set(events));
  expect(rows).toHaveLength(events.length);
});

test('the operations page names every alert rule, and no other', () => {
  const rules = readFileSync(`${root}docs/observability/sendonce.rules.yml`, 'utf8');
  const inRules = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name);
  expect(inRules.length).toBeGreaterThan(5);
  expect(new Set(page.match(/\bSendonce[A-Z]\w+/g))).toEqual(new Set(inRules));
});
