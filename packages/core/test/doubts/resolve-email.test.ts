import { describe, expect, test } from 'vitest';
import {
  deriveKey,
  type Journal,
  type JournalEntry,
  memoryLedger,
  resolveEmail,
} from '../../src/index.ts';
import { createToken } from '../../src/store/index.ts';

/** A journal that keeps its entries in an array. */
function arrayJournal() {
  const entries: JournalEntry[] = [];
  const journal: Journal = {
    write: (entry) => void entries.push(entry),
    flush: async () => {},
    history: async (key) => entries.filter((entry) => entry.key === key),
    find: async () => [],
    counts: async () => [],
  };
  return { journal, entries };
}

async function doubtful() {
  const ledger = memoryLedger();
  const attempt = { key: deriveKey(createToken()), token: createToken(), leaseMs: 1_000 };
  await ledger.settle({ ...attempt, retentionMs: 60_000, outcome: 'in-doubt' });
  const { key, token } = attempt;
  return { ledger, key, token, ...arrayJournal() };
}

describe('the journal', () => {
  test.each(['sent', 'not-sent'] as const)(
    'says who resolved an email as %s, when, and why',
    async (verdict) => {
      const { ledger, key, token, journal, entries } = await doubtful();
      const startMs = Date.now();
      const found = { key, token, verdict, by: 'ada', why: 'asked the customer' };
      expect(await resolveEmail({ ledger, journal }, found)).toEqual({ state: 'resolved' });
      expect(entries).toEqual([
        {
          key,
          type: `resolved-${verdict}`,
          atMs: expect.any(Number),
          by: 'ada',
          note: 'asked the customer',
        },
      ]);
      expect(entries[0]?.atMs).toBeGreaterThanOrEqual(startMs);
    },
  );

  test('says nothing where another person was faster', async () => {
    const { ledger, key, token, journal, entries } = await doubtful();
    const found = { key, token, verdict: 'sent', by: 'ada' } as const;
    await resolveEmail({ ledger }, { ...found, by: 'grace' });
    const late = await resolveEmail({ ledger, journal }, { ...found, verdict: 'not-sent' });
    expect(late).toMatchObject({ state: 'not-in-doubt', record: { resolvedBy: 'grace' } });
    expect(entries).toEqual([]);
  });
});

test('the record of a resolved email says who resolved it and why', async () => {
  const { ledger, key, token } = await doubtful();
  const found = { key, token, verdict: 'sent', by: 'ada', why: 'asked the customer' } as const;
  await resolveEmail({ ledger }, found);
  expect(await ledger.read(key)).toMatchObject({
    state: 'sent',
    resolvedBy: 'ada: asked the customer',
  });
});
