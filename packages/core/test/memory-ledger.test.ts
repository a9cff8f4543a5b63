import { expect, test } from 'vitest';
import { deriveKey, memoryLedger } from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

test('a provider remembers an email from its dispatch on, and not from its claim: so does the ledger', async () => {
  let nowMs = 1_700_000_000_000;
  const ledger = memoryLedger({ now: () => nowMs });
  const key = deriveKey(createToken());
  const attempt = { key, token: createToken(), leaseMs: 1_000, retentionMs: 60_000 };
  await ledger.claim(attempt);
  nowMs += 900;
  await ledger.dispatch(attempt);
  nowMs += 2_000;
  const later = await ledger.claim({ ...attempt, token: createToken() });
  expect(later).toMatchObject({ state: 'in-doubt', dispatchedAgoMs: 2_000 });
  expect((await ledger.read(key))?.atMs).toBe(1_700_000_000_900);
});
