import { beforeEach, expect, test } from 'vitest';
import {
  type Claim,
  deriveKey,
  isSendonceError,
  memoryLedger,
  perform,
  type PerformEvent,
  type PerformOptions,
} from '../src/index.ts';
import { createSkip, createToken, registerDispatcher } from '../src/store/index.ts';
import { skipReasonOf } from '../src/skip.ts';

beforeEach(registerDispatcher);

const MODES = ['before-processor', 'at-send'] as const;

function setup(overrides: Partial<PerformOptions> = {}) {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const events: PerformEvent[] = [];
  const options: PerformOptions = {
    ledger,
    key,
    onEvent: (event) => void events.push(event),
    ...overrides,
  };
  return { ledger, key, events, options, record: () => ledger.read(key) };
}

test.each(MODES)(
  '%s: an effect that decides not to send is recorded with its reason',
  async (dispatch) => {
    const { options, record, events } = setup({ dispatch });
    const performed = await perform((claim) => claim.skip('unsubscribed'), options);
    expect(performed).toEqual({ state: 'skipped', reason: 'unsubscribed' });
    expect(await record()).toMatchObject({ state: 'skipped', note: 'unsubscribed' });
    expect(events.at(-1)).toMatchObject({ type: 'skipped', note: 'unsubscribed' });
    expect(events.map(({ type }) => type)).not.toContain('undispatched');
  },
);

test.each(MODES)('%s: the next attempt wins over it, and may send', async (dispatch) => {
  const { options, record } = setup({ dispatch });
  await perform((claim) => claim.skip('no consent yet'), options);
  const performed = await perform(async (claim) => {
    await claim.dispatch();
    return 'sent';
  }, options);
  expect(performed).toEqual({ state: 'sent', value: 'sent' });
  expect((await record())?.note).toBeUndefined();
});

test.each(MODES)('%s: a mark from another process is a skip, too', async (dispatch) => {
  const { options, record } = setup({ dispatch });
  const mark: unknown = JSON.parse(JSON.stringify(createSkip('bounced')));
  expect(await perform(() => mark, options)).toEqual({ state: 'skipped', reason: 'bounced' });
  expect((await record())?.state).toBe('skipped');
});

test.each(MODES)(
  '%s: a skip that is thrown is a skip, because its type is "never"',
  async (dispatch) => {
    const { options, record } = setup({ dispatch });
    const performed = await perform((claim) => {
      throw claim.skip('unsubscribed');
    }, options);
    expect(performed).toEqual({ state: 'skipped', reason: 'unsubscribed' });
    expect((await record())?.state).toBe('skipped');
  },
);

test('a fallback that is not sent either may be skipped', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const performed = await perform(async (claim) => {
    const email = claim.begin();
    await email.dispatch();
    email.report({ verdict: 'refused', note: '421' });
    return claim.skip('no fallback');
  }, options);
  expect(performed).toMatchObject({ state: 'skipped' });
  expect((await record())?.state).toBe('skipped');
});

test.each([
  ['', 'characters'],
  ['   ', 'characters'],
  ['x'.repeat(101), '101'],
  ['ada@shop.example', 'address'],
  ['ada\uFF20shop.example', 'address'],
  ['ada%40shop.example', 'address'],
  ['two\nlines', 'line break'],
  ['turned\u202Earound', 'invisible'],
  ['in\u200Bvisible', 'invisible'],
  [undefined, 'undefined'],
  [7, 'number'],
  [null, 'null'],
])('the reason %j is refused, nothing was sent, and a retry may send', async (reason, what) => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform((claim) => claim.skip(reason as string), options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'no' });
  await expect(failed).rejects.toThrow(what);
  await expect(failed).rejects.not.toThrow(/ada/);
  expect(await record()).toBeUndefined();
});

test('in before-processor an email may have left before a skip that does not hold', async () => {
  const effects: ((claim: Claim) => unknown)[] = [
    (claim) => claim.skip('bounced ada@shop.example'),
    (claim) => {
      const untyped = claim as { skip(reason: string): unknown };
      untyped.skip('once');
      return claim.skip('twice');
    },
  ];
  for (const effect of effects) {
    const { options, record } = setup();
    const performed = await perform(effect, options);
    expect(performed).toMatchObject({ state: 'in-doubt', error: { mayHaveLeft: 'maybe' } });
    expect((await record())?.state).toBe('in-doubt');
  }
});

test('where nothing can dispatch, an email may have left after a skip that was not returned', async () => {
  Reflect.deleteProperty(globalThis, Symbol.for('@sendonce/core/has-dispatcher'));
  const { options } = setup({ dispatch: 'at-send' });
  const performed = await perform((claim) => {
    const untyped = claim as { skip(reason: string): unknown };
    untyped.skip('unsubscribed');
    // … and sends by a transporter without the plugin.
    return 'sent';
  }, options);
  expect(performed).toMatchObject({ state: 'in-doubt' });
  registerDispatcher();
});

test('a mark that is changed after it was made has no other reason', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const performed = await perform((claim) => {
    const mark: object = claim.skip('unsubscribed');
    return { ...mark, '@sendonce/skip': 'ada@shop.example' };
  }, options);
  expect(performed).toMatchObject({ state: 'skipped', reason: 'unsubscribed' });
  expect((await record())?.note).toBe('unsubscribed');
});

test('a reason may be a sentence', () => {
  expect(skipReasonOf(createSkip('Kundin möchte keine E-Mails (Code 7)'))).toContain('möchte');
});

test('after an email that was sent, a skip is an error, and the record says "sent"', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform(async (claim) => {
    await claim.dispatch();
    claim.report({ verdict: 'sent' });
    return claim.skip('unsubscribed');
  }, options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'yes' });
  expect((await record())?.state).toBe('sent');
});

test('after a dispatch without a report, a skip leaves the email in doubt', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const performed = await perform(async (claim) => {
    await claim.dispatch();
    return claim.skip('unsubscribed');
  }, options);
  expect(performed).toMatchObject({ state: 'in-doubt', error: { mayHaveLeft: 'maybe' } });
  expect((await record())?.state).toBe('in-doubt');
});

test('a mark that another process made does not undo what was sent here', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform(async (claim) => {
    await claim.dispatch();
    claim.report({ verdict: 'sent' });
    return createSkip('late');
  }, options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'yes' });
  expect((await record())?.state).toBe('sent');
});

test('two skips are an error, and nothing was sent', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform((claim) => {
    try {
      claim.skip('once');
    } catch {
      // Never.
    }
    return claim.skip('twice');
  }, options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'no' });
  expect(await record()).toBeUndefined();
});

test('nothing is sent after a skip', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform(async (claim) => {
    const skip = claim.skip('unsubscribed');
    await claim.dispatch();
    return skip;
  }, options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'no' });
  expect(await record()).toBeUndefined();
});

test('a skip that is not returned is an error: at-send has sent nothing', async () => {
  const { options, record } = setup({ dispatch: 'at-send' });
  const failed = perform((claim) => {
    // As a program without types does it.
    const untyped = claim as { skip(reason: string): unknown };
    untyped.skip('unsubscribed');
    return 'done';
  }, options);
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'no' });
  expect(await record()).toBeUndefined();
});

test('a skip that is not returned is an error: before-processor may have sent something', async () => {
  const { options } = setup();
  const performed = await perform((claim) => {
    // As a program without types does it.
    const untyped = claim as { skip(reason: string): unknown };
    untyped.skip('unsubscribed');
    return 'done';
  }, options);
  expect(performed).toMatchObject({ state: 'in-doubt', error: { code: 'SENDONCE_SKIP' } });
});

test('the skip of an outer claim is refused by an inner perform(), and both emails are released', async () => {
  const outer = setup({ dispatch: 'at-send' });
  const inner = setup({ dispatch: 'at-send' });
  const failed = perform(
    (claim) => perform(() => claim.skip('which one?'), inner.options),
    outer.options,
  );
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_SKIP', mayHaveLeft: 'no' });
  expect(await inner.record()).toBeUndefined();
  expect(await outer.record()).toBeUndefined();
});

test('an inner perform() may be skipped alone', async () => {
  const outer = setup({ dispatch: 'at-send' });
  const inner = setup({ dispatch: 'at-send' });
  const performed = await perform(async (claim) => {
    const { state } = await perform((its) => its.skip('no invoice'), inner.options);
    await claim.dispatch();
    return state;
  }, outer.options);
  expect(performed).toEqual({ state: 'sent', value: 'skipped' });
  expect((await inner.record())?.state).toBe('skipped');
});

test('a skip after the effect has ended is an error, and changes nothing', async () => {
  const { options, record } = setup({ dispatch: 'before-processor' });
  let later: (() => unknown) | undefined;
  await perform((claim) => {
    later = () => claim.skip('too late');
  }, options);
  expect(() => later?.()).toThrow(expect.objectContaining({ code: 'SENDONCE_SKIP' }));
  expect((await record())?.state).toBe('sent');
});

test('an email that was cancelled while its effect decided not to send stays cancelled', async () => {
  const { ledger, key, options, record, events } = setup({ dispatch: 'at-send' });
  const performed = await perform(async (claim) => {
    await ledger.cancel({ key, retentionMs: 60_000 });
    return claim.skip('unsubscribed');
  }, options);
  expect(performed.state).toBe('cancelled');
  expect((await record())?.state).toBe('cancelled');
  expect(events.map(({ type }) => type)).not.toContain('unrecorded');
});

test('a replay that is skipped leaves the doubt of the email that it repeats', async () => {
  const { ledger, key, options, record } = setup({ replayWithinMs: 60_000 });
  const first = { key, token: createToken(), leaseMs: 1_000, retentionMs: 60_000 };
  await ledger.claim({ ...first, dispatched: true });
  await ledger.settle({ ...first, outcome: 'in-doubt' });
  const performed = await perform((claim) => claim.skip('unsubscribed'), options);
  expect(performed.state).toBe('in-doubt');
  expect((await record())?.state).toBe('in-doubt');
});

test('values that look like nothing of ours are results', async () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const value of [null, undefined, '', 0, { reason: 'x' }, { '@sendonce/skip': 7 }]) {
    expect(skipReasonOf(value)).toBeUndefined();
  }
  expect(skipReasonOf(revoked.proxy)).toBeUndefined();
  expect(isSendonceError(undefined)).toBe(false);
});
