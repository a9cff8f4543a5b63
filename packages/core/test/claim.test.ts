import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import {
  type Claim,
  deriveKey,
  currentClaim,
  type Ledger,
  memoryLedger,
  NotSentError,
  perform,
  type PerformOptions,
} from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

function setup(
  overrides: Partial<PerformOptions> = {},
  change: (sound: Ledger) => Partial<Ledger> = () => ({}),
) {
  const sound = memoryLedger();
  const ledger: Ledger = { ...sound, ...change(sound) };
  const key = deriveKey(createToken());
  const options: PerformOptions = { ledger, key, dispatch: 'at-send', ...overrides };
  return { sound, key, options, stateNow: async () => (await sound.read(key))?.state };
}

describe('one claim covers one email', () => {
  test('a second one is refused, and the first one decides', async () => {
    for (const dispatch of ['before-processor', 'at-send'] as const) {
      const { options, stateNow } = setup({ dispatch });
      const run = perform(async (claim) => {
        const email = claim.begin();
        await email.dispatch();
        email.report({ verdict: 'sent' });
        claim.begin();
      }, options);
      await expect(run).rejects.toMatchObject({
        code: 'SENDONCE_SECOND_EMAIL',
        mayHaveLeft: 'maybe',
      });
      expect(await stateNow()).toBe('sent');
    }
  });

  test('a second one is refused while the first is on its way, or may have left', async () => {
    const { options, stateNow } = setup();
    await perform(async (claim) => {
      const email = claim.begin();
      expect(() => claim.begin()).toThrow('A second email');
      await email.dispatch();
      await expect(claim.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_SECOND_EMAIL' });
      email.report({ verdict: 'unknown' });
      expect(() => claim.begin()).toThrow('A second email');
    }, options);
    expect(await stateNow()).toBe('in-doubt');
  });

  test('one email dispatches once', async () => {
    const { options } = setup();
    await perform(async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      await expect(email.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_SECOND_EMAIL' });
      email.report({ verdict: 'sent' });
    }, options);
  });

  test('after an email that was not sent, the next one (a fallback) asks the ledger again and may leave', async () => {
    const asked = vi.fn();
    const { options, stateNow } = setup({}, (sound) => ({
      dispatch(attempt) {
        asked();
        return sound.dispatch(attempt);
      },
    }));
    const performed = await perform(async (claim) => {
      for (const verdict of ['not-sent', 'refused', 'rejected', 'sent'] as const) {
        const email = claim.begin();
        await email.dispatch();
        email.report({ verdict });
      }
    }, options);
    expect(performed).toMatchObject({ state: 'sent' });
    expect(await stateNow()).toBe('sent');
    expect(asked).toHaveBeenCalledTimes(4);
  });
});

describe('an email that the processor does not await', () => {
  test('is waited for before its outcome is settled', async () => {
    const { options, stateNow } = setup();
    let left = false;
    const performed = await perform((claim) => {
      const email = claim.begin();
      void (async () => {
        await sleep(15);
        await email.dispatch();
        left = true;
        email.report({ verdict: 'sent', messageId: '<7@x>' });
      })();
      return 'early';
    }, options);
    expect(performed).toEqual({ state: 'sent', value: 'early' });
    expect(left).toBe(true);
    expect(await stateNow()).toBe('sent');
  });

  test('is waited for together with its fallback', async () => {
    const { options, stateNow } = setup();
    const performed = perform((claim) => {
      const email = claim.begin();
      void (async () => {
        await sleep(5);
        await email.dispatch();
        email.report({ verdict: 'not-sent' });
        const fallback = claim.begin();
        await fallback.dispatch();
        await sleep(10);
        fallback.report({ verdict: 'rejected', note: '552' });
      })();
    }, options);
    expect(await performed).toMatchObject({ state: 'rejected', record: { note: '552' } });
    expect(await stateNow()).toBe('rejected');
  });

  test('is never recorded as sent while its dispatch is refused', async () => {
    const { options, stateNow } = setup({}, (sound) => ({
      async dispatch(attempt) {
        await sleep(15);
        return sound.dispatch(attempt);
      },
    }));
    let left = false;
    let sending: Promise<void> | undefined;
    await perform((claim) => {
      sending = claim.dispatch().then(
        () => void (left = true),
        () => {},
      );
    }, options);
    await sending;
    expect([await stateNow(), left]).toEqual(['sent', true]);
  });

  test('cannot leave after the processor has ended', async () => {
    const { options } = setup();
    let leaked: Claim | undefined;
    await perform((claim) => void (leaked = claim), options);
    await expect(leaked?.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
    await expect(leaked?.begin().dispatch()).rejects.toThrow('Await the send');
  });
});

describe('a dispatch that comes too late', () => {
  test.each([
    [
      'cancelled',
      async (ledger: Ledger, key: string) => ledger.cancel({ key, retentionMs: 9_000 }),
    ],
    [
      'duplicate',
      async (ledger: Ledger, key: string) => {
        const attempt = { key, token: createToken(), leaseMs: 100, retentionMs: 9_000 };
        return ledger.settle({ ...attempt, outcome: 'sent' });
      },
    ],
  ] as const)('is refused, and the attempt is %s', async (state, overtake) => {
    const { options, sound, key } = setup();
    let left = false;
    const performed = await perform(async (claim) => {
      await overtake(sound, key);
      await claim.dispatch();
      left = true;
    }, options);
    expect(performed).toMatchObject({ state });
    expect(left).toBe(false);
  });

  test('is refused after the lease: busy, come again', async () => {
    let nowMs = Date.now();
    const ledger = memoryLedger({ now: () => nowMs });
    const { options } = setup({ ledger });
    const performed = await perform(async (claim) => {
      nowMs += 31_000;
      await expect(claim.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
    }, options);
    expect(performed).toEqual({ state: 'busy', retryAfterMs: 0 });
  });

  test('is asked again in the mode before-processor, when the process slept past its lease', async () => {
    const leaseMs = 30;
    const { options, sound, key } = setup(
      { dispatch: 'before-processor', leaseMs },
      // No heartbeat gets through.
      () => ({ heartbeat: () => Promise.reject(new Error('down')) }),
    );
    let left = false;
    const performed = await perform(async (claim) => {
      await sleep(3 * leaseMs);
      const { token } = claim;
      await sound.resolve({ key, token, verdict: 'not-sent', by: 'a person', retentionMs: 9_000 });
      await claim.dispatch();
      left = true;
    }, options);
    expect(left).toBe(false);
    expect(performed).toMatchObject({ state: 'busy' });
  });

  test('is noticed when the answer to the claim itself was slower than the doubt', async () => {
    const leaseMs = 40;
    const effects: string[] = [];
    const { options, sound, key } = setup({ dispatch: 'before-processor', leaseMs }, (sound) => ({
      async claim(request) {
        const reply = await sound.claim(request);
        // Two leases later: in doubt, resolved, and sent by the next attempt.
        await sleep(2.5 * leaseMs);
        const { token } = request;
        await sound.resolve({
          key: request.key,
          token,
          verdict: 'not-sent',
          by: '',
          retentionMs: 9_000,
        });
        const next = { ledger: sound, key: request.key };
        await perform(() => void effects.push('next'), next);
        return reply;
      },
    }));
    const performed = await perform(() => void effects.push('late'), options);
    expect(effects).toEqual(['next']);
    expect(performed).toMatchObject({ state: 'duplicate' });
    expect((await sound.read(key))?.state).toBe('sent');
  });
});

describe('perform() within perform()', () => {
  test('gives each email its own claim', async () => {
    const { options, stateNow } = setup();
    const inner = setup({ ledger: options.ledger });
    const performed = await perform(async (outer) => {
      await outer.dispatch();
      const nested = await perform(async (claim) => {
        expect(currentClaim()).toBe(claim);
        await claim.dispatch();
        return 'inner';
      }, inner.options);
      expect(currentClaim()).toBe(outer);
      expect(nested).toEqual({ state: 'sent', value: 'inner' });
      return 'outer';
    }, options);
    expect(performed).toEqual({ state: 'sent', value: 'outer' });
    expect(await stateNow()).toBe('sent');
    expect((await options.ledger.read(inner.key))?.state).toBe('sent');
  });

  test('does not take an inner "not sent" for one about the outer email', async () => {
    const { options, stateNow } = setup({ dispatch: 'before-processor' });
    const inner = setup({ ledger: options.ledger });
    const performed = await perform(async () => {
      // The outer email has left here.
      await perform((claim) => claim.report({ verdict: 'not-sent' }), inner.options);
    }, options);
    expect(performed).toMatchObject({ state: 'in-doubt' });
    expect(await stateNow()).toBe('in-doubt');
  });

  test("takes the processor's own NotSentError at its word", async () => {
    const { options, stateNow } = setup({ dispatch: 'before-processor' });
    await expect(
      perform(() => Promise.reject(new NotSentError('no template')), options),
    ).rejects.toThrow('no template');
    expect(await stateNow()).toBeUndefined();
  });
});

test('a report with an invalid verdict counts as unknown: no second email may start', async () => {
  const { options, stateNow } = setup();
  const run = perform(async (claim) => {
    const email = claim.begin();
    await email.dispatch();
    email.report({ verdict: 'delivered' as never });
    expect(() => claim.begin()).toThrow('A second email');
  }, options);
  expect(await run).toMatchObject({ state: 'in-doubt' });
  expect(await stateNow()).toBe('in-doubt');
});
