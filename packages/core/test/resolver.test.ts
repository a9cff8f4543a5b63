import { describe, expect, test, vi } from 'vitest';
import {
  deriveKey,
  type Ledger,
  memoryLedger,
  perform,
  type PerformOptions,
  type Resolver,
} from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
const failing: Resolver = () => Promise.reject(new Error('the provider is down'));

/** An email in doubt, by another attempt. */
async function doubtful(resolver: Resolver) {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const token = createToken();
  const doubt = { key, token, leaseMs: 1_000, retentionMs: 9_000, outcome: 'in-doubt' } as const;
  await ledger.settle({ ...doubt, note: 'ETIMEDOUT', messageId: '<7@shop.example>' });
  const options: PerformOptions = { ledger, key, resolver, by: 'notices:7', leaseMs: 200 };
  return { ledger, key, token, options, stateNow: async () => (await ledger.read(key))?.state };
}

describe('an email that is found in doubt', () => {
  test('is a duplicate when the resolver finds it sent', async () => {
    const resolver = vi.fn<Resolver>(async () => 'sent');
    const { options, ledger, key, token } = await doubtful(resolver);
    const performed = await perform(() => expect.unreachable(), options);
    expect(performed).toMatchObject({ state: 'duplicate', record: { state: 'sent', token } });
    expect(resolver).toHaveBeenCalledExactlyOnceWith({
      record: expect.objectContaining({ token, note: 'ETIMEDOUT', messageId: '<7@shop.example>' }),
    });
    expect((await ledger.read(key))?.resolvedBy).toContain('resolver of notices:7');
  });

  test('is sent when the resolver finds that it was not', async () => {
    const { options, stateNow } = await doubtful(async () => 'not-sent');
    expect(await perform(() => 7, options)).toEqual({ state: 'sent', value: 7 });
    expect(await stateNow()).toBe('sent');
  });

  test('stays in doubt when the resolver does not know, fails or talks nonsense', async () => {
    const nonsense = (async () => true) as unknown as Resolver;
    for (const resolver of [async () => 'unknown' as const, failing, nonsense]) {
      const { options, stateNow } = await doubtful(resolver);
      const performed = await perform(() => expect.unreachable(), options);
      expect(performed).toMatchObject({ state: 'in-doubt' });
      expect(await stateNow()).toBe('in-doubt');
    }
  });

  test('is sent once by two attempts whose resolvers both find that it was not', async () => {
    const { options } = await doubtful(async () => 'not-sent');
    const effect = vi.fn(() => 7);
    const states = await Promise.all([perform(effect, options), perform(effect, options)]);
    expect(effect).toHaveBeenCalledOnce();
    expect(states.map(({ state }) => state)).toContain('sent');
  });
});

describe('the own fresh doubt', () => {
  const own = (resolver: Resolver, change: (sound: Ledger) => Partial<Ledger> = () => ({})) => {
    const sound = memoryLedger();
    const ledger = { ...sound, ...change(sound) };
    const key = deriveKey(createToken());
    const options: PerformOptions = { ledger, key, resolver, leaseMs: 200 };
    return { options, stateNow: async () => (await sound.read(key))?.state };
  };

  test('is shown to the resolver with what the effect threw', async () => {
    const resolver = vi.fn<Resolver>(async () => 'unknown');
    const { options } = own(resolver);
    expect(await perform(() => Promise.reject(reset), options)).toMatchObject({
      state: 'in-doubt',
    });
    const record = expect.objectContaining({ state: 'in-doubt', note: 'ECONNRESET' });
    expect(resolver).toHaveBeenCalledExactlyOnceWith({ record, error: reset });
  });

  test('ends as a duplicate when it was sent', async () => {
    const { options, stateNow } = own(async () => 'sent');
    expect(await perform(() => Promise.reject(reset), options)).toMatchObject({
      state: 'duplicate',
    });
    expect(await stateNow()).toBe('sent');
  });

  test('ends with the error of the effect when it was not sent, so that a retry may send', async () => {
    const { options, stateNow } = own(async () => 'not-sent');
    await expect(perform(() => Promise.reject(reset), options)).rejects.toBe(reset);
    expect(await stateNow()).toBeUndefined();
    expect(await perform(() => 7, options)).toMatchObject({ state: 'sent' });
  });

  test('stays in doubt when the resolver fails', async () => {
    const { options, stateNow } = own(failing);
    expect(await perform(() => Promise.reject(reset), options)).toMatchObject({
      state: 'in-doubt',
    });
    expect(await stateNow()).toBe('in-doubt');
  });

  test.each(['sent', 'not-sent'] as const)(
    'stays in doubt when the ledger did not take the verdict "%s"',
    async (verdict) => {
      const { options, stateNow } = own(
        async () => verdict,
        (sound) => ({
          async resolve({ key }) {
            return { state: 'not-in-doubt', record: await sound.read(key) };
          },
        }),
      );
      const performed = await perform(() => Promise.reject(reset), options);
      expect(performed).toMatchObject({ state: 'in-doubt' });
      expect(await stateNow()).toBe('in-doubt');
    },
  );
});
