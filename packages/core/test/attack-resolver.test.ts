import { expect, test } from 'vitest';
import { deriveKey, memoryLedger, perform } from '../src/index.ts';
import { createToken } from '../src/keys.ts';

test('a person decides "not sent" while the resolver is asked: the attempt sends', async () => {
  const ledger = memoryLedger();
  const attempt = {
    key: deriveKey(['a']),
    token: createToken(),
    leaseMs: 1_000,
    retentionMs: 60_000,
  };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt' });
  const { state } = await perform(() => 'sent', {
    ledger,
    key: attempt.key,
    resolver: async () => {
      await ledger.resolve({ ...attempt, verdict: 'not-sent', by: 'Ann' });
      return 'unknown';
    },
  });
  expect(state).toBe('sent');
});
