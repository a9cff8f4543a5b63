import { once as onceEvent } from 'node:events';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Claim,
  currentClaim,
  deriveKey,
  type Journal,
  memoryLedger,
  NotSentError,
  perform,
  type PerformEvent,
  type PerformOptions,
  type Undispatched,
} from '../src/index.ts';
import { createToken, registerDispatcher } from '../src/store/index.ts';

const broken = new Error('broken');

function setup(overrides: Partial<PerformOptions> = {}) {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const events: PerformEvent['type'][] = [];
  const options: PerformOptions = {
    ledger,
    key,
    dispatch: 'at-send',
    onEvent: ({ type }) => void events.push(type),
    ...overrides,
  };
  return { ledger, key, events, options, record: () => ledger.read(key) };
}

/** As in a process in which nothing has shown yet that it can dispatch. */
function forgetDispatchers(): void {
  Reflect.deleteProperty(globalThis, Symbol.for('@sendonce/core/has-dispatcher'));
}

describe('an effect that takes its claim', () => {
  beforeEach(registerDispatcher);

  test('is in doubt when it returns without a dispatch, and the error names three ways out', async () => {
    const { options, record, events } = setup();
    const performed = await perform((_claim) => 'done', options);
    expect(performed).toMatchObject({ state: 'in-doubt', record: { note: 'undispatched' } });
    const error = performed.state === 'in-doubt' ? (performed.error as Error) : undefined;
    expect(error).toMatchObject({ code: 'SENDONCE_UNDISPATCHED', mayHaveLeft: 'maybe' });
    for (const way of ['atSend(transporter)', 'skipEmail(', '"undispatched"']) {
      expect(error?.message).toContain(way);
    }
    expect(events).toEqual(['claimed', 'undispatched', 'in-doubt']);
    expect(await record()).toMatchObject({ state: 'in-doubt', note: 'undispatched' });
  });

  test('is in doubt when it throws before its dispatch in a new process: to take a claim is not to dispatch', async () => {
    forgetDispatchers();
    const { options, record } = setup();
    const performed = await perform((_claim) => Promise.reject(broken), options);
    expect(performed.state).toBe('in-doubt');
    expect((await record())?.state).toBe('in-doubt');
  });
});

describe.each<[Undispatched, string]>([
  ['sent', 'sent'],
  ['skipped', 'skipped'],
  ['in-doubt', 'in-doubt'],
])('with "undispatched" %s', (undispatched, state) => {
  beforeEach(registerDispatcher);

  test(`a return without a dispatch is recorded as "${state}"`, async () => {
    const { options, record, events } = setup({ undispatched });
    const performed = await perform(() => 'done', options);
    expect(performed.state).toBe(state);
    expect((await record())?.state).toBe(state);
    expect(events).toContain('undispatched');
  });

  test('a skip and a dispatch mean what they always mean', async () => {
    const skipped = setup({ undispatched });
    await perform((claim) => claim.skip('unsubscribed'), skipped.options);
    expect(await skipped.record()).toMatchObject({ state: 'skipped', note: 'unsubscribed' });
    const sent = setup({ undispatched });
    await perform((claim) => claim.dispatch(), sent.options);
    expect((await sent.record())?.state).toBe('sent');
    expect(sent.events).not.toContain('undispatched');
  });

  test('a throw before a dispatch is released', async () => {
    const { options, record } = setup({ undispatched });
    await expect(perform(() => Promise.reject(broken), options)).rejects.toBe(broken);
    expect(await record()).toBeUndefined();
  });
});

describe('what an attempt without a dispatch tells', () => {
  beforeEach(registerDispatcher);

  test('a skip by "undispatched" has that as its reason', async () => {
    const { options, record } = setup({ undispatched: 'skipped' });
    const performed = await perform(() => 'done', options);
    expect(performed).toEqual({ state: 'skipped', reason: 'undispatched' });
    expect((await record())?.note).toBe('undispatched');
  });

  test('a report "sent" without a dispatch is an event, and no warning where something can dispatch', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { options, events } = setup({ job: { queue: createToken(), id: '7' } });
    const performed = await perform((claim) => claim.report({ verdict: 'sent' }), options);
    expect(performed.state).toBe('sent');
    expect(events).toEqual(['claimed', 'undispatched', 'sent']);
    const { options: others } = setup({ job: { queue: createToken(), id: '7' } });
    await perform(() => 'done', others);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  test('the caller gets "sent" if another attempt has the record, with an event', async () => {
    const { ledger, key, options, record, events } = setup({ undispatched: 'sent' });
    const rival = { key, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 };
    const performed = await perform(async () => {
      await ledger.release({ key, token: (await record())!.token });
      await ledger.claim({ ...rival, dispatched: true });
      return 'done';
    }, options);
    expect(performed).toEqual({ state: 'sent', value: 'done' });
    expect(events).toContain('unrecorded');
    expect((await record())?.token).toBe(rival.token);
  });

  test('a doubt says how long ago its email was dispatched, also after a replay', async () => {
    let nowMs = Date.now();
    const ledger = memoryLedger({ now: () => nowMs });
    const { options } = setup({ ledger, dispatch: 'before-processor', replayWithinMs: 60_000 });
    const fails = () => Promise.reject(broken);
    const first = await perform(fails, options);
    expect(first).toMatchObject({ state: 'in-doubt', dispatchedAgoMs: 0 });
    nowMs += 5_000;
    const again = await perform(fails, options);
    const agoMs = again.state === 'in-doubt' ? again.dispatchedAgoMs : -1;
    expect(agoMs).toBeGreaterThanOrEqual(5_000);
    expect(agoMs).toBeLessThan(10_000);
  });
});

test('an email that is reported as not sent before its dispatch is answered does not leave', async () => {
  const { ledger, options, record } = setup();
  let answer: (() => void) | undefined;
  const dispatch: typeof ledger.dispatch = async (attempt) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return ledger.dispatch(attempt);
  };
  const effect = async (claim: Claim) => {
    const email = claim.begin();
    const dispatching = email.dispatch();
    await expect.poll(() => answer).toBeDefined();
    email.report({ verdict: 'not-sent' });
    answer?.();
    await dispatching;
    return 'sent';
  };
  const failed = perform(effect, { ...options, ledger: { ...ledger, dispatch } });
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
  await expect(failed).rejects.toThrow('reported before its dispatch was answered');
  expect(await record()).toBeUndefined();
});

test('a replay that returns without a dispatch does not turn its doubt into "sent"', async () => {
  registerDispatcher();
  const { options, record } = setup({ replayWithinMs: 60_000 });
  for (let run = 0; run < 2; run++) {
    const performed = await perform(() => 'decided not to send', options);
    expect(performed).toMatchObject({
      state: 'in-doubt',
      error: { code: 'SENDONCE_UNDISPATCHED' },
    });
  }
  expect((await record())?.state).toBe('in-doubt');
  const sent = await perform((claim) => claim.dispatch(), options);
  expect(sent.state).toBe('sent');
});

test('"undispatched" must be one of its words', async () => {
  const { options } = setup({ undispatched: 'send' as never });
  const effect = () => 'never';
  await expect(perform(effect, options)).rejects.toMatchObject({ option: 'undispatched' });
});

test.each(['in-doubt', 'sent', 'skipped'] as const)(
  '"undispatched: %s" is refused in the mode "before-processor", where it would do nothing',
  async (undispatched) => {
    for (const dispatch of ['before-processor', undefined] as const) {
      const { options, record } = setup({ dispatch, undispatched });
      await expect(perform(() => 'never', options)).rejects.toMatchObject({
        option: 'undispatched',
        message: expect.stringContaining('Expected no "undispatched"') as string,
      });
      expect(await record()).toBeUndefined();
    }
  },
);

test('a label without a journal is refused', async () => {
  const { options } = setup({ label: 'order 7' });
  await expect(perform(() => 'never', options)).rejects.toMatchObject({
    option: 'label',
    message: expect.stringContaining('Expected "journal" beside "label"') as string,
  });
});

test.each([
  [
    'throws',
    () => {
      throw new Error('the journal is broken');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('the journal is broken'))],
])(
  'a journal that %s decides nothing: the email is sent, and a warning says why',
  async (_name, write) => {
    const brokenJournal: Journal = {
      flush: async () => {},
      history: async () => [],
      find: async () => [],
      counts: async () => [],
      write,
    };
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { options, record } = setup({ journal: brokenJournal });
    expect(await perform((claim) => claim.dispatch(), options)).toMatchObject({ state: 'sent' });
    expect((await record())?.state).toBe('sent');
    await vi.waitFor(() => {
      expect(String(warned.mock.calls[0]?.[0])).toContain('the journal is broken');
    });
    warned.mockRestore();
  },
);

describe('where nothing in the process can dispatch, an email may have left unseen', () => {
  beforeEach(forgetDispatchers);

  test('an effect that throws after its send is in doubt, and is not run again', async () => {
    const { options, record, events } = setup();
    let sends = 0;
    const effect = async () => {
      sends += 1;
      throw broken;
    };
    for (let attempt = 0; attempt < 3; attempt++) {
      const performed = await perform(effect, options);
      expect(performed.state).toBe('in-doubt');
    }
    expect(sends).toBe(1);
    expect(events).toContain('undispatched');
    expect(await record()).toMatchObject({ state: 'in-doubt', note: 'undispatched' });
  });

  test('a process warning says why, once for a queue', async () => {
    const job = { queue: createToken(), id: '7' };
    const warned = onceEvent(process, 'warning');
    const { options } = setup({ job });
    await perform(() => 'done', options);
    const [warning] = (await warned) as [Error & { code?: string }];
    expect(warning).toMatchObject({ code: 'SENDONCE_UNDISPATCHED' });
    expect(warning.message).toContain('atSend(transporter)');
  });

  test('"classify" and NotSentError are believed', async () => {
    const classified = setup({ classify: () => 'not-sent' });
    await expect(perform(() => Promise.reject(broken), classified.options)).rejects.toBe(broken);
    expect(await classified.record()).toBeUndefined();
    const said = setup();
    const notSent = new NotSentError('The template is missing.');
    await expect(perform(() => Promise.reject(notSent), said.options)).rejects.toBe(notSent);
    expect(await said.record()).toBeUndefined();
  });

  test('"undispatched: sent" is believed, "skipped" is not', async () => {
    const sent = setup({ undispatched: 'sent' });
    expect((await perform(() => 'done', sent.options)).state).toBe('sent');
    const skipped = setup({ undispatched: 'skipped' });
    expect((await perform(() => 'done', skipped.options)).state).toBe('in-doubt');
  });

  test('one seen dispatch is enough: later attempts that throw before theirs are released', async () => {
    const seen = setup();
    await perform(() => currentClaim()?.dispatch(), seen.options);
    expect((await seen.record())?.state).toBe('sent');
    const { options, record } = setup();
    await expect(perform(() => Promise.reject(broken), options)).rejects.toBe(broken);
    expect(await record()).toBeUndefined();
  });
});

describe('an acknowledged cancellation', () => {
  beforeEach(registerDispatcher);

  const sends: readonly [string, (claim: Claim) => unknown][] = [
    ['a return without a dispatch', () => 'done'],
    ['a report without a dispatch', (claim) => claim.report({ verdict: 'sent' })],
  ];
  test.each(sends)('stays after %s', async (_, effect) => {
    const { ledger, key, options, record, events } = setup({ undispatched: 'sent' });
    const failed = perform(async (claim) => {
      expect(await ledger.cancel({ key, retentionMs: 60_000, by: 'support' })).toMatchObject({
        state: 'cancelled',
      });
      return effect(claim);
    }, options);
    await expect(failed).rejects.toMatchObject({
      code: 'SENDONCE_NOT_RECORDED',
      mayHaveLeft: 'maybe',
    });
    await expect(failed).rejects.toThrow('cancelled');
    expect((await record())?.state).toBe('cancelled');
    expect(events).toContain('unrecorded');
  });

  test('is followed by the "sent" of a dispatch that was acknowledged before it', async () => {
    const { ledger, key, options, record } = setup();
    const performed = await perform(async (claim) => {
      await claim.dispatch();
      const found = await record();
      await ledger.settle({ ...found!, outcome: 'in-doubt', leaseMs: 1, retentionMs: 60_000 });
      const { token } = claim;
      const verdict = {
        key,
        token,
        verdict: 'not-sent',
        by: 'a person',
        retentionMs: 60_000,
      } as const;
      await ledger.resolve(verdict);
      await ledger.cancel({ key, retentionMs: 60_000 });
      return 'sent after all';
    }, options);
    expect(performed.state).toBe('sent');
    expect((await record())?.state).toBe('sent');
  });
});

describe('an email that is about to leave after its effect has returned', () => {
  test('is refused, with an event and a warning, and the email stays in doubt', async () => {
    const { options, record, events } = setup({ job: { queue: createToken(), id: '7' } });
    const warned = onceEvent(process, 'warning');
    let late: Promise<void> | undefined;
    const performed = await perform((claim) => {
      late = new Promise((resolve) => setTimeout(resolve, 20)).then(() => claim.dispatch());
      return 'done';
    }, options);
    expect(performed).toMatchObject({ state: 'in-doubt' });
    await expect(late).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
    const [warning] = (await warned) as [Error & { code?: string }];
    expect(warning).toMatchObject({ code: 'SENDONCE_LATE_SEND' });
    expect(events).toEqual(['claimed', 'undispatched', 'in-doubt', 'late-send']);
    // The email of this key may have left unseen; the late one may have been another one.
    expect(await record()).toMatchObject({ state: 'in-doubt', note: 'undispatched' });
    expect((await record())?.lateNotSent).toBeUndefined();
  });

  test('does not touch what others have decided in the meantime', async () => {
    const { ledger, key, options, record } = setup();
    let send: (() => Promise<void>) | undefined;
    await perform((claim) => {
      send = () => claim.dispatch();
    }, options);
    const { token } = (await record())!;
    const by = 'a person';
    await ledger.resolve({ key, token, verdict: 'not-sent', by, retentionMs: 60_000 });
    const next = await perform(async (claim) => {
      await expect(send?.()).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
      await claim.dispatch();
    }, options);
    expect(next.state).toBe('sent');
    expect((await record())?.state).toBe('sent');
  });

  test('leaves what was recorded as sent before it', async () => {
    const { options, record, events } = setup({ dispatch: 'before-processor' });
    let late: Promise<void> | undefined;
    await perform((claim) => {
      late = new Promise((resolve) => setTimeout(resolve, 5)).then(() => claim.dispatch());
    }, options);
    await expect(late).rejects.toMatchObject({ code: 'SENDONCE_CLAIM_LOST' });
    expect(events).toContain('late-send');
    expect((await record())?.state).toBe('sent');
  });
});

describe('a result that cannot be kept', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ['too large', 'x'.repeat(200), 'maxResultBytes'],
    ['a BigInt', { id: 7n }, 'not JSON'],
    ['a cycle', cycle, 'not JSON'],
  ])('%s: the email is sent, and the caller still has the result', async (_, value, message) => {
    const { options, record, events } = setup({
      dispatch: 'before-processor',
      maxResultBytes: 100,
    });
    const performed = await perform(() => value, options);
    expect(performed).toMatchObject({ state: 'sent', value });
    expect(performed.state === 'sent' && performed.resultError?.message).toContain(message);
    expect((await record())?.state).toBe('sent');
    expect((await record())?.result).toBeUndefined();
    expect(events).toEqual(['claimed', 'dispatched', 'result-dropped', 'sent']);
    expect(await perform(() => 'never', options)).toMatchObject({
      state: 'duplicate',
      value: undefined,
    });
  });
});

describe('a report', () => {
  test.each([
    ['a number', 5_764_607_523_034_235, '5764607523034235'],
    ['a bigint', 57n, '57'],
    ['null', null, undefined],
    ['an object', { id: 7 }, undefined],
    ['half a character', '<\uD800@shop>', undefined],
    ['NUL', 'a\0b', undefined],
    ['NaN', NaN, undefined],
  ])('with %s as texts loses no outcome', async (_, value, kept) => {
    for (const verdict of ['sent', 'rejected', 'unknown'] as const) {
      const { options, record } = setup();
      await perform(async (claim) => {
        await claim.dispatch();
        claim.report({ verdict, messageId: value, note: value } as never);
      }, options);
      const found = await record();
      expect(found?.state).toBe(verdict === 'unknown' ? 'in-doubt' : verdict);
      expect(found?.messageId).toBe(kept);
      if (verdict === 'rejected') expect(found?.note).toBe(kept ?? 'error');
    }
  });

  test('with a getter that throws keeps its verdict', async () => {
    const { options, record } = setup();
    await perform(async (claim) => {
      await claim.dispatch();
      claim.report({
        verdict: 'sent',
        get messageId(): string {
          throw broken;
        },
      });
    }, options);
    expect((await record())?.state).toBe('sent');
  });

  test('"unknown" with an error is explained by "classify"', async () => {
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const classify = (error: unknown) => (error === throttled ? 'refused' : undefined);
    const { options, record } = setup({ classify });
    const failed = perform(async (claim) => {
      await claim.dispatch();
      claim.report({ verdict: 'unknown', error: throttled });
      throw new Error('wrapped');
    }, options);
    await expect(failed).rejects.toThrow('wrapped');
    expect(await record()).toBeUndefined();
  });
});
