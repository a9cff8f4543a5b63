import { describe, expect, test } from 'vitest';
import { brokenLedgers, ledgerTopics, memoryUnderTest, runTopic } from '../src/index.ts';

const failuresOf = async (name: string, underTest = memoryUnderTest()) => {
  const topic = ledgerTopics.find((candidate) => candidate.name === name);
  if (!topic) throw new Error(`There is no topic "${name}".`);
  return (await runTopic(topic, underTest)).filter(({ error }) => error !== undefined);
};

describe.each(ledgerTopics)('the topic "$name"', ({ name }) => {
  test('is passed by a sound ledger', async () => {
    expect(await failuresOf(name)).toEqual([]);
  });

  const broken = brokenLedgers.filter(({ topic }) => topic === name);
  test('knows a mistake', () => expect(broken).not.toEqual([]));

  test.each(broken)('notices a ledger that $name', async ({ create }) => {
    expect(await failuresOf(name, create())).not.toEqual([]);
  });
});

test('every mistake names a topic', () => {
  const names = new Set(ledgerTopics.map(({ name }) => name));
  expect(brokenLedgers.filter(({ topic }) => !names.has(topic))).toEqual([]);
});

test('a case that needs what the ledger does not offer is skipped', async () => {
  const { ledger, other } = memoryUnderTest();
  const topic = ledgerTopics.find(({ name }) => name === 'unreadable records');
  if (!topic) throw new Error('The topic is missing.');
  const results = await runTopic(topic, { ledger, other });
  expect(results.every(({ skipped, error }) => skipped && error === undefined)).toBe(true);
});
