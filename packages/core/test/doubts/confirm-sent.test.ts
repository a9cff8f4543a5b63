import { expect, test } from 'vitest';
import { confirmSent, deriveKey, memoryLedger } from '../../src/index.ts';
import { createToken } from '../../src/store/index.ts';

test('the email that the provider names is resolved, and no other doubt, with or without a Message-ID', async () => {
  const ledger = memoryLedger();
  const keys: string[] = [];
  for (const messageId of [undefined, '<6@shop.example>', '<7@shop.example>', undefined]) {
    const attempt = { key: deriveKey(createToken()), token: createToken(), leaseMs: 1_000 };
    await ledger.settle({ ...attempt, retentionMs: 60_000, outcome: 'in-doubt', messageId });
    keys.push(attempt.key);
  }
  const named = { messageId: '<7@shop.example>', by: 'webhook of a provider' };
  expect(await confirmSent({ ledger }, named)).toEqual({ state: 'resolved' });
  const states = await Promise.all(keys.map(async (key) => (await ledger.read(key))?.state));
  expect(states).toEqual(['in-doubt', 'in-doubt', 'sent', 'in-doubt']);
});
