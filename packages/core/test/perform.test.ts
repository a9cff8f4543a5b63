import { describe, expect, test, vi } from 'vitest';
import {
  deriveKey,
  fingerprintOf,
  type Ledger,
  memoryLedger,
  NotSentError,
  perform,
  type PerformEvent,
  type PerformOptions,
  type Verdict,
} from '../src/index.ts';
import { createToken, registerDispatcher } from '../src/store/index.ts';

const MODES = ['before-processor', 'at-send'] as const;

/** A new ledger and key for each test, and the events of its attempts. */
function setup(overrides: Partial<PerformOptions> = {}) {
  const ledger = overrides.ledger ?? memoryLedger();
  const key = deriveKey(createToken());
  const events: PerformEvent['type'][] = [];
  const onEvent = ({ type }: PerformEvent) => void events.push(type);
  const options: PerformOptions = { ledger, key, onEvent, by: 'notices:7', ...overrides };
  const other = {
    key,
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 60_000,
    by: 'notices:1',
  };
  return {
    ledger,
    key,
    events,
    options,
    other,
    stateNow: async () => (await ledger.read(key))?.state,
  };
}

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe.each(MODES)('in the mode %s, an attempt whose claim is', (dispatch) => {
  test('won runs the effect, and the record has its result', async () => {
    const { ledger, key, options, events } = setup({ dispatch });
    const performed = await perform(async (claim) => {
      await claim.dispatch();
      claim.report({ verdict: 'sent', messageId: '<7@shop.example>' });
      return { accepted: 1 };
    }, options);
    expect(performed).toEqual({ state: 'sent', value: { accepted: 1 } });
    expect(await ledger.read(key)).toMatchObject({
      state: 'sent',
      result: '{"accepted":1}',
      messageId: '<7@shop.example>',
      by: 'notices:7',
    });
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('a duplicate gets the result of the original, and nothing runs', async () => {
    const { ledger, options, other, events } = setup({ dispatch });
    await ledger.settle({ ...other, outcome: 'sent', result: '{"accepted":1}' });
    const effect = vi.fn();
    const performed = await perform(effect, options);
    expect(performed).toMatchObject({ state: 'duplicate', value: { accepted: 1 } });
    expect(performed).toMatchObject({ record: { by: 'notices:1', token: other.token } });
    expect(effect).not.toHaveBeenCalled();
    expect(events).toEqual(['duplicate']);
  });

  test('busy: the result says when to try again', async () => {
    const { ledger, options, other } = setup({ dispatch });
    await ledger.claim(other);
    const effect = vi.fn();
    const performed = await perform(effect, options);
    expect(performed).toMatchObject({ state: 'busy' });
    expect(performed.state === 'busy' && performed.retryAfterMs).toBeGreaterThan(29_000);
    expect(effect).not.toHaveBeenCalled();
  });

  test('in doubt, rejected or cancelled does not run', async () => {
    const effect = vi.fn();
    for (const outcome of ['in-doubt', 'rejected'] as const) {
      const { ledger, options, other } = setup({ dispatch });
      await ledger.settle({ ...other, outcome, note: '552' });
      const performed = await perform(effect, options);
      expect(performed).toMatchObject({ state: outcome, record: { note: '552' } });
    }
    const { ledger, options, other } = setup({ dispatch });
    await ledger.cancel(other);
    expect(await perform(effect, options)).toMatchObject({ state: 'cancelled' });
    expect(effect).not.toHaveBeenCalled();
  });

  test('a conflict names the fields that differ, and never their values', async () => {
    const { ledger, key, other, options } = setup({ dispatch });
    const fingerprint = fingerprintOf({ to: 'ada@secret.example', total: 7 }, key);
    await ledger.claim({ ...other, fingerprint: fingerprintOf({ to: 'bob', total: 7 }, key) });
    const performed = await perform(() => expect.unreachable(), { ...options, fingerprint });
    expect(performed).toMatchObject({ state: 'conflict', fields: ['to'] });
    expect(JSON.stringify(performed)).not.toContain('secret');
  });

  test('a claim that is lost while the effect runs aborts its signal', async () => {
    const sound = memoryLedger();
    const ledger: Ledger = { ...sound, heartbeat: async (all) => all.map(() => 'lost') };
    const { options, events } = setup({ dispatch, ledger, leaseMs: 30 });
    const run = perform(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      expect(signal.reason).toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
      throw new NotSentError('stopped');
    }, options);
    await expect(run).rejects.toThrow('stopped');
    expect(events).toContain('lost');
  });
});

describe('an effect that throws', () => {
  test('before its dispatch: the claim is released, and its error is thrown', async () => {
    registerDispatcher();
    const { options, stateNow, events } = setup({ dispatch: 'at-send' });
    const error = new Error('DelayedError');
    await expect(perform(() => Promise.reject(error), options)).rejects.toBe(error);
    expect(await stateNow()).toBeUndefined();
    expect(events).toEqual(['claimed', 'released']);
    expect(await perform((claim) => claim.dispatch(), options)).toMatchObject({ state: 'sent' });
  });

  test.each<[Verdict, string | undefined]>([
    ['not-sent', undefined],
    ['refused', undefined],
    ['sent', 'sent'],
  ])('after its dispatch, known as %s: the error is thrown', async (verdict, state) => {
    for (const dispatch of MODES) {
      for (const how of ['report', 'classify'] as const) {
        const { options, stateNow } = setup({ dispatch, classify: () => verdict });
        const run = perform(async (claim) => {
          await claim.dispatch();
          if (how === 'report') claim.report({ verdict });
          throw refused;
        }, options);
        await expect(run).rejects.toBe(refused);
        expect(await stateNow()).toBe(state);
      }
    }
  });

  test('after its dispatch, known as rejected: it is recorded with a code and never with a text', async () => {
    for (const dispatch of MODES) {
      const { ledger, key, options, events } = setup({ dispatch, classify: () => 'rejected' });
      const error = Object.assign(new Error('552 <ada@secret.example> full'), {
        responseCode: 552,
      });
      const performed = await perform(async (claim) => {
        await claim.dispatch();
        throw error;
      }, options);
      expect(performed).toMatchObject({ state: 'rejected', error, record: { note: '552' } });
      expect(JSON.stringify(await ledger.read(key))).not.toContain('secret');
      expect(events.at(-1)).toBe('rejected');
      expect(await perform(() => 'again', options)).toMatchObject({ state: 'rejected' });
    }
  });

  test('after its dispatch, without a verdict: in doubt at once, and never run again', async () => {
    for (const dispatch of MODES) {
      const { options, stateNow } = setup({ dispatch });
      const error = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      const performed = await perform(async (claim) => {
        await claim.dispatch();
        throw error;
      }, options);
      expect(performed).toMatchObject({ state: 'in-doubt', error, record: { note: 'ECONNRESET' } });
      expect(await stateNow()).toBe('in-doubt');
      const again = await perform(() => expect.unreachable(), options);
      expect(again).toMatchObject({ state: 'in-doubt', record: { by: 'notices:7' } });
    }
  });

  test('NotSentError releases the claim in both modes', async () => {
    for (const dispatch of MODES) {
      const { options, stateNow } = setup({ dispatch });
      const error = new NotSentError('the template is missing');
      await expect(perform(() => Promise.reject(error), options)).rejects.toBe(error);
      expect(await stateNow()).toBeUndefined();
    }
  });

  test('is in doubt when its classifier fails or gives no verdict', async () => {
    const broken = () => {
      throw new Error('broken classifier');
    };
    const asyncOne = (async () => 'not-sent') as unknown as () => Verdict;
    const typo = (() => 'notsent') as unknown as () => Verdict;
    for (const classify of [broken, asyncOne, typo, () => undefined]) {
      const { options, stateNow } = setup({ classify });
      const performed = await perform(() => Promise.reject(refused), options);
      expect(performed).toMatchObject({ state: 'in-doubt' });
      expect(await stateNow()).toBe('in-doubt');
    }
  });

  test('is overruled by its report', async () => {
    const { options, stateNow } = setup({ dispatch: 'at-send' });
    const run = perform(async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      email.report({ verdict: 'sent' });
      email.report({ verdict: 'not-sent' });
      throw new NotSentError('wrong about it');
    }, options);
    await expect(run).rejects.toThrow('wrong about it');
    expect(await stateNow()).toBe('sent');
  });
});

describe('an effect that returns', () => {
  test('although its email was not sent throws, and gives the claim back', async () => {
    const { options, stateNow } = setup({ dispatch: 'at-send' });
    const run = perform(async (claim) => {
      await claim.dispatch();
      claim.report({ verdict: 'refused', note: '450' });
    }, options);
    await expect(run).rejects.toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await stateNow()).toBeUndefined();
  });

  test.each<[string, unknown, string | undefined]>([
    ['undefined', undefined, undefined],
    ['null', null, 'null'],
    ['an empty string', '', '""'],
    ['unicode', '🦩\n', '"🦩\\n"'],
  ])('%s: duplicates get it back', async (_, value, result) => {
    const { ledger, key, options } = setup();
    await perform(() => value, options);
    expect((await ledger.read(key))?.result).toBe(result);
    expect(await perform(() => 'again', options)).toMatchObject({ state: 'duplicate', value });
  });

  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  test.each([
    ['a bigint', 7n],
    ['a circle', circle],
    ['too much', 'é'.repeat(8_192)],
  ])('%s is recorded as sent without result, and a retry is a duplicate', async (_, value) => {
    const { options, stateNow } = setup();
    expect(await perform<unknown>(() => value, options)).toMatchObject({
      state: 'sent',
      resultError: { code: 'SENDONCE_RESULT', mayHaveLeft: 'yes' },
    });
    expect(await stateNow()).toBe('sent');
    const again = await perform(() => expect.unreachable(), options);
    expect(again).toMatchObject({ state: 'duplicate', value: undefined });
  });

  test('as much as "maxResultBytes" is kept', async () => {
    const { options } = setup({ maxResultBytes: 5 });
    expect(await perform(() => 'abc', options)).toMatchObject({ state: 'sent' });
    const more = setup({ maxResultBytes: 4 });
    expect(await perform(() => 'abc', more.options)).toMatchObject({
      resultError: { message: expect.stringContaining('"maxResultBytes" (4)') },
    });
  });
});

describe('options', () => {
  test.each<[string, Record<string, unknown>]>([
    ['ledger', { ledger: {} }],
    ['ledger', { ledger: undefined }],
    ['key', { key: 'order-7' }],
    ['key', { key: undefined }],
    ['dispatch', { dispatch: 'at-end' }],
    ['dispatch', { dispatch: null }],
    ['leaseMs', { leaseMs: 0 }],
    ['leaseMs', { leaseMs: 1.5 }],
    ['leaseMs', { leaseMs: null }],
    ['leaseMs', { leaseMs: '30s' }],
    ['retentionMs', { retentionMs: -1 }],
    ['retentionMs', { retentionMs: null }],
    ['retentionMs', { leaseMs: 2_000, retentionMs: 1_999 }],
    ['maxResultBytes', { maxResultBytes: Number.NaN }],
    ['classify', { classify: 'no' }],
    ['resolver', { resolver: {} }],
    ['onEvent', { onEvent: 7 }],
    ['by', { by: 7 }],
    ['fingerprint', { fingerprint: { to: 'ada@secret.example' } }],
    ['emailDateMs', { emailDateMs: Number.NaN }],
  ])('a wrong "%s" is named before anything runs: %j', async (option, wrong) => {
    const { options } = setup();
    const effect = vi.fn();
    const run = perform(effect, { ...options, ...wrong });
    await expect(run).rejects.toMatchObject({ code: 'SENDONCE_OPTION', option });
    await expect(run).rejects.toThrow(`"${option}"`);
    await expect(run).rejects.not.toThrow('secret');
    expect(effect).not.toHaveBeenCalled();
    expect(await options.ledger.read(options.key)).toBeUndefined();
  });

  test('an effect that is no function is an error before anything is claimed', async () => {
    const { options } = setup();
    const run = perform(undefined as unknown as () => void, options);
    await expect(run).rejects.toMatchObject({ code: 'SENDONCE_OPTION' });
    expect(await options.ledger.read(options.key)).toBeUndefined();
  });
});

test('a listener that throws changes nothing', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { options, stateNow } = setup({
    onEvent: () => {
      throw new Error('broken listener');
    },
  });
  expect(await perform(() => 7, options)).toEqual({ state: 'sent', value: 7 });
  expect(await stateNow()).toBe('sent');
  expect(warned).toHaveBeenCalled();
  warned.mockRestore();
});
