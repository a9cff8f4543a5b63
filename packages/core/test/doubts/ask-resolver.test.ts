import { expect, test } from 'vitest';
import { deriveKey, type Ledger, memoryLedger, perform, type Resolver } from '../../src/index.ts';
import { createToken } from '../../src/store/index.ts';

/** An email in doubt, and a ledger that counts the claims and notes the verdicts it is given. */
async function doubtful() {
  const sound = memoryLedger();
  const attempt = { key: deriveKey(createToken()), token: createToken(), leaseMs: 1_000 };
  await sound.settle({ ...attempt, retentionMs: 60_000, outcome: 'in-doubt' });
  const seen = { claims: 0, verdicts: [] as unknown[] };
  const ledger: Ledger = {
    ...sound,
    claim(request) {
      seen.claims += 1;
      return sound.claim(request);
    },
    resolve(resolution) {
      seen.verdicts.push(resolution.verdict);
      return sound.resolve(resolution);
    },
  };
  return { sound, ledger, key: attempt.key, seen };
}

test.each<[string, () => unknown]>([
  ['does not know', () => 'unknown'],
  ['fails', () => Promise.reject(new Error('the provider is down'))],
  [
    'throws at once',
    () => {
      throw new Error('broken');
    },
  ],
  ['answers "Sent"', () => 'Sent'],
  ['answers "not sent"', () => 'not sent'],
  ['answers true', () => true],
  ['answers nothing', () => undefined],
  ['answers an object', () => ({ verdict: 'not-sent' })],
])(
  'an email in doubt whose resolver %s stays as it is, and is not claimed again',
  async (_, answer) => {
    const { sound, ledger, key, seen } = await doubtful();
    const before = await sound.read(key);
    const resolver = (async () => answer()) as Resolver;
    const performed = await perform(() => expect.unreachable(), { ledger, key, resolver });
    expect(performed).toMatchObject({ state: 'in-doubt' });
    expect(seen).toEqual({ claims: 1, verdicts: [] });
    expect(await sound.read(key)).toEqual(before);
  },
);
