import { describe, expect, test, vi } from 'vitest';
import {
  type Attempt,
  type Claim,
  NotSentError,
  perform,
  type PerformOptions,
  type Resolver,
} from '../../src/index.ts';
import { performWith } from '../../src/store/index.ts';
import { away, gate, holding, scene } from './scene.ts';

type EffectOf = (claim: Claim) => unknown;

const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
const reportsAndThrows: EffectOf = (claim) => {
  claim.report({ verdict: 'rejected' });
  throw reset;
};

describe('an outcome that comes too late', () => {
  /**
   * An attempt whose doubt a person resolves as not sent, and another attempt dispatches, while it
   * runs.
   */
  async function overtaken(effect: () => unknown, next: 'sent' | 'on its way') {
    const all = scene();
    const sending = gate();
    let other: ReturnType<typeof all.start> | undefined;
    const late = all.start(async () => {
      await all.fallInDoubt();
      await all.resolve('not-sent');
      const dispatched = gate();
      other = all.start(async () => {
        dispatched.open();
        if (next === 'on its way') await sending.passed;
      });
      await dispatched.passed;
      if (next === 'sent') await other.ended;
      return effect();
    });
    const ended = await late.ended;
    sending.open();
    await other?.ended;
    return { ended, events: late.events };
  }

  const unclear = () => Promise.reject(reset);
  const rejected = () => Promise.reject(Object.assign(new Error('no such user'), { code: 550 }));

  test('"sent" is returned all the same, and reported as unrecorded', async () => {
    const { ended, events } = await overtaken(() => 7, 'sent');
    expect(ended).toEqual({ state: 'sent', value: 7 });
    expect(events).toEqual(['claimed', 'dispatched', 'unrecorded', 'sent']);
  });

  test.each([
    ['unknown', unclear],
    ['rejected', rejected],
  ])('"%s" gives way to the "sent" of the other attempt', async (_, effect) => {
    const { ended, events } = await overtaken(effect, 'sent');
    expect(ended).toMatchObject({ state: 'duplicate', record: { state: 'sent' } });
    expect(events).toEqual(['claimed', 'dispatched', 'unrecorded', 'duplicate']);
  });

  test('"unknown" stays in doubt when another attempt is on its way', async () => {
    const { ended } = await overtaken(unclear, 'on its way');
    expect(ended).toMatchObject({ state: 'in-doubt' });
  });

  test('"rejected" gives way to an attempt that is on its way', async () => {
    const { ledger, key, start } = scene({ classify: () => 'rejected' });
    const { ended } = start(async () => {
      const { token } = (await ledger.read(key))!;
      await ledger.release({ key, token });
      const other = { key, token: 'o'.repeat(16), leaseMs: 60_000, retentionMs: 600_000 };
      await ledger.claim({ ...other, dispatched: true });
      throw reset;
    });
    expect(await ended).toMatchObject({ state: 'busy', retryAfterMs: 0 });
  });

  test('"unknown" over a cancellation is an error that says so: the email is not sent again', async () => {
    const { ledger, key, start, fallInDoubt, resolve } = scene();
    const { ended, events } = start(async () => {
      await fallInDoubt();
      await resolve('not-sent');
      await ledger.cancel({ key, retentionMs: 600_000 });
      throw reset;
    });
    expect(await ended).toMatchObject({
      code: 'SENDONCE_NOT_RECORDED',
      mayHaveLeft: 'maybe',
      message: expect.stringContaining('In the meantime it was cancelled'),
    });
    expect(events.at(-1)).toBe('unrecorded');
  });
});

describe('a doubt that is returned', () => {
  test('is the record of the ledger, with the time of the dispatch', async () => {
    const { start, read, advance } = scene();
    const { ended } = start(async () => {
      advance(1_000);
      throw reset;
    });
    expect(await ended).toMatchObject({ state: 'in-doubt', record: await read() });
  });

  test('is made of what was recorded where the ledger cannot be read', async () => {
    const { ledger, key, start, read } = scene({ by: 'a script' });
    const { ended } = start(() => Promise.reject(reset), { ledger: { ...ledger, read: away } });
    const { record } = (await ended) as { readonly record: object };
    expect(record).toEqual({
      key,
      state: 'in-doubt',
      token: (await read()).token,
      atMs: expect.any(Number),
      by: 'a script',
      note: 'ECONNRESET',
    });
  });
});

describe('an effect that returns, although something was reported about its email', () => {
  test('throws the error that was reported: the email was not sent', async () => {
    const { start } = scene();
    const { ended } = start((claim) => claim.report({ verdict: 'refused', error: reset }));
    expect(await ended).toBe(reset);
  });

  test('is in doubt with the error that was reported, and its resolver sees both', async () => {
    const resolver = vi.fn<Resolver>(async () => 'unknown');
    const { start } = scene({ resolver });
    const { ended } = start((claim) => claim.report({ verdict: 'unknown', error: reset }));
    expect(await ended).toMatchObject({ state: 'in-doubt', error: reset });
    const record = expect.objectContaining({ state: 'in-doubt', note: 'ECONNRESET' });
    expect(resolver).toHaveBeenCalledExactlyOnceWith({ record, error: reset });
  });

  test('is in doubt without an error where none was reported, and its resolver sees the record', async () => {
    const resolver = vi.fn<Resolver>(async () => 'unknown');
    const { start } = scene({ resolver });
    const { ended } = start((claim) => claim.report({ verdict: 'unknown' }));
    expect(await ended).toMatchObject({ state: 'in-doubt' });
    const record = expect.objectContaining({ state: 'in-doubt' });
    expect(resolver).toHaveBeenCalledExactlyOnceWith({ record });
  });
});

describe('"classify"', () => {
  test.each<[string, EffectOf, PerformOptions['dispatch']]>([
    ['the effect returns', () => 7, 'before-processor'],
    ['something was reported', reportsAndThrows, 'before-processor'],
    ['nothing was dispatched', () => Promise.reject(reset), 'at-send'],
  ])('is not asked where %s', async (_, effect, dispatch) => {
    const classify = vi.fn(() => 'unknown' as const);
    const { start } = scene({ classify, dispatch });
    await start(effect).ended;
    expect(classify).not.toHaveBeenCalled();
  });

  test('may fail asynchronously: in doubt, and no unhandled rejection', async () => {
    const classify = (() => Promise.reject(new Error('broken'))) as never;
    const { start } = scene({ classify });
    expect(await start(() => Promise.reject(reset)).ended).toMatchObject({ state: 'in-doubt' });
    await new Promise((resolve) => setImmediate(resolve));
  });
});

test.each(['a text', 7])(
  'an effect inside another one may throw %j: it reaches the outer effect as it is',
  async (thrown) => {
    const [outer, inner] = [scene(), scene()];
    const options = { ledger: inner.ledger, key: inner.key, dispatch: 'at-send' } as const;
    let caught: unknown = 'nothing';
    const { ended } = outer.start(async () => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      await perform(() => Promise.reject(thrown), options).catch((error: unknown) => {
        caught = error;
      });
    });
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(caught).toBe(thrown);
  },
);

test('an effect that does not ask for its claim is sent like any other', async () => {
  const { ledger, key, read } = scene();
  expect(await performWith(() => 7, { ledger }, { key })).toEqual({ state: 'sent', value: 7 });
  expect(await read()).toMatchObject({ state: 'sent', result: '7' });
});

test('a duplicate whose stored result is no JSON is unreadable, and nothing is sent', async () => {
  const { ledger, key, start } = scene();
  const other = { key, token: 'o'.repeat(16), leaseMs: 60_000, retentionMs: 600_000 };
  await ledger.settle({ ...other, outcome: 'sent', result: '{"accepted":' });
  expect(await start(() => expect.unreachable()).ended).toMatchObject({
    code: 'SENDONCE_UNREADABLE_RECORD',
    message: expect.stringContaining('its result is not JSON'),
  });
});

describe('the dispatch', () => {
  test('costs no second question in the mode before-processor', async () => {
    const { ledger, start, sendAs } = scene();
    const dispatch = vi.fn((attempt: Attempt) => ledger.dispatch(attempt));
    const { ended } = start(sendAs('one'), { ledger: { ...ledger, dispatch } });
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(dispatch).not.toHaveBeenCalled();
  });

  test('is waited for, although its email is reported before its answer', async () => {
    const { ledger, start } = scene({ dispatch: 'at-send' });
    const held = holding(ledger, 'dispatch');
    const { ended, events } = start(
      async (claim) => {
        void claim.dispatch();
        await held.executed;
        claim.report({ verdict: 'sent' });
        setTimeout(held.letGo, 20);
      },
      { ledger: held.ledger },
    );
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('is not asked for again by a second email, when the claim was lost by the first', async () => {
    const { ledger, start, advance } = scene({ dispatch: 'at-send' });
    const dispatch = vi.fn((attempt: Attempt) => ledger.dispatch(attempt));
    const { ended, events } = start(
      async (claim) => {
        advance(60_000);
        await expect(claim.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
        await expect(claim.dispatch()).rejects.toThrow('was lost before');
      },
      { ledger: { ...ledger, dispatch } },
    );
    expect(await ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(dispatch).toHaveBeenCalledOnce();
    expect(events).toEqual(['claimed', 'busy']);
  });

  test('that finds the doubt of another attempt leaves it as it is', async () => {
    const { ledger, key, start, advance, read } = scene({ dispatch: 'at-send' });
    const other = { key, token: 'o'.repeat(16), leaseMs: 60_000, retentionMs: 600_000 };
    const { ended, events } = start(async (claim) => {
      advance(60_000);
      await ledger.settle({ ...other, outcome: 'in-doubt' });
      await claim.dispatch();
    });
    expect(await ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(events).toEqual(['claimed', 'busy']);
    expect(await read()).toMatchObject({ state: 'in-doubt', token: other.token });
  });

  test('that is refused after the effect has ended changes nothing about its end', async () => {
    const { ledger, key, start } = scene({ dispatch: 'at-send' });
    const asked = gate();
    const cancelled = gate();
    let dispatching: Promise<void> | undefined;
    let dispatchAgain: (() => Promise<void>) | undefined;
    const { ended } = start(
      async (claim) => {
        const email = claim.begin();
        dispatching = email.dispatch();
        dispatching.catch(() => {});
        await asked.passed;
        email.report({ verdict: 'not-sent' });
        dispatchAgain = () => claim.dispatch();
      },
      {
        ledger: {
          ...ledger,
          async dispatch(attempt) {
            asked.open();
            await cancelled.passed;
            return ledger.dispatch(attempt);
          },
        },
      },
    );
    expect(await ended).toBeInstanceOf(NotSentError);
    await ledger.cancel({ key, retentionMs: 600_000 });
    cancelled.open();
    await expect(dispatching).rejects.toThrow('(cancelled)');
    await expect(dispatchAgain?.()).rejects.toThrow('The processor ended');
  });
});
