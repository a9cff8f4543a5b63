import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import {
  type Claim,
  deriveKey,
  type Ledger,
  memoryLedger,
  OptionError,
  perform,
  type PerformOptions,
} from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

const modes = ['before-processor', 'at-send'] as const;

function setup(overrides: Partial<PerformOptions> = {}, change?: (sound: Ledger) => object) {
  const sound = memoryLedger();
  const ledger: Ledger = { ...sound, ...change?.(sound) };
  const key = deriveKey(['notice', createToken()]);
  const options: PerformOptions = { ledger, key, ...overrides };
  return { ledger, key, options, readNow: () => sound.read(key) };
}

const past = () => Date.now() - 1;
const soon = () => Date.now() + 60;
const later = () => Date.now() + 60_000;
const skipped = { state: 'skipped', reason: 'not-after' } as const;

/** Sends one email, once its time is over. */
async function sendLate(claim: Claim, sent: string[]): Promise<string> {
  await sleep(100);
  const email = claim.begin();
  await email.dispatch();
  sent.push(claim.key);
  email.report({ verdict: 'sent' });
  return 'sent';
}

describe.each(modes)('the time of an email, %s', (dispatch) => {
  test('is over before it starts: its effect does not run, and it is skipped', async () => {
    const { options, readNow } = setup({ dispatch, notAfterMs: past() });
    const effect = vi.fn();
    const events: string[] = [];
    const onEvent = ({ type, note }: { type: string; note?: string | undefined }) =>
      void events.push(`${type} ${note}`);
    expect(await perform(effect, { ...options, onEvent })).toEqual(skipped);
    expect(effect).not.toHaveBeenCalled();
    expect(events.at(-1)).toBe('skipped not-after');
    expect(await readNow()).toMatchObject({ state: 'skipped', note: 'not-after' });
  });

  test('is not over: it is sent', async () => {
    const { options } = setup({ dispatch, notAfterMs: later() });
    const sent: string[] = [];
    expect(await perform((claim) => sendLate(claim, sent), options)).toMatchObject({
      state: 'sent',
    });
    expect(sent).toHaveLength(1);
  });

  test('is over at its dispatch: it does not leave, however its effect ends', async () => {
    const effects: Record<string, (claim: Claim, sent: string[]) => Promise<unknown>> = {
      throws: sendLate,
      returns: (claim, sent) => sendLate(claim, sent).catch(() => 'done'),
      'tries another way': (claim, sent) =>
        sendLate(claim, sent).catch(() => sendLate(claim, sent)),
      'throws its own error': (claim, sent) =>
        sendLate(claim, sent).catch(() => Promise.reject(new Error('mine'))),
    };
    for (const [name, effect] of Object.entries(effects)) {
      const { options, readNow } = setup({ dispatch, notAfterMs: soon() });
      const sent: string[] = [];
      const performed = await perform((claim) => effect(claim, sent), options);
      expect(performed, name).toEqual(skipped);
      expect(sent, name).toEqual([]);
      expect(await readNow()).toMatchObject({ state: 'skipped', note: 'not-after' });
    }
  });

  test('is over: an attempt without a limit sends it, because a skip blocks nothing', async () => {
    const { options } = setup({ dispatch, notAfterMs: past() });
    await perform(() => {}, options);
    const again = { ...options, notAfterMs: undefined };
    const sent: string[] = [];
    expect(await perform((claim) => sendLate(claim, sent), again)).toMatchObject({ state: 'sent' });
  });

  test('is over: what was sent, rejected or cancelled before is found as usual', async () => {
    for (const outcome of ['sent', 'rejected'] as const) {
      const { options } = setup({ dispatch });
      await perform((claim) => claim.report({ verdict: outcome }), options).catch(() => {});
      const late = await perform(() => {}, { ...options, notAfterMs: past() });
      expect(late.state).toBe(outcome === 'sent' ? 'duplicate' : 'rejected');
    }
    const { options, ledger, key } = setup({ dispatch, notAfterMs: past() });
    await ledger.cancel({ key, retentionMs: 60_000, by: 'support' });
    expect(await perform(() => {}, options)).toMatchObject({ state: 'cancelled' });
  });
});

test('the time is over before the dispatch: the ledger is not asked for it', async () => {
  const asked = vi.fn();
  const { options } = setup({ dispatch: 'at-send', notAfterMs: soon() }, () => ({
    dispatch: asked,
  }));
  expect(await perform((claim) => sendLate(claim, []), options)).toEqual(skipped);
  expect(asked).not.toHaveBeenCalled();
});

test('the ledger answers a dispatch after the time is over: the email does not leave', async () => {
  const { options, readNow } = setup({ dispatch: 'at-send', notAfterMs: soon() }, (sound) => ({
    async dispatch(attempt: Parameters<Ledger['dispatch']>[0]) {
      const reply = await sound.dispatch(attempt);
      await sleep(100);
      return reply;
    },
  }));
  let sent = 0;
  const performed = await perform(async (claim) => {
    await claim.dispatch();
    sent += 1;
  }, options);
  expect(performed).toEqual(skipped);
  expect(sent).toBe(0);
  expect(await readNow()).toMatchObject({ state: 'skipped', note: 'not-after' });
});

describe('an email in doubt whose time is over', () => {
  async function doubt(overrides: Partial<PerformOptions>) {
    const scene = setup({ dispatch: 'at-send', ...overrides });
    const lost = perform(
      async (claim) => {
        await claim.dispatch();
        throw new Error('connection lost');
      },
      { ...scene.options, resolver: undefined, notAfterMs: undefined },
    );
    expect(await lost).toMatchObject({ state: 'in-doubt' });
    return scene;
  }

  test('stays in doubt', async () => {
    const { options, readNow } = await doubt({ notAfterMs: past() });
    expect(await perform(() => {}, options)).toMatchObject({ state: 'in-doubt' });
    expect(await readNow()).toMatchObject({ state: 'in-doubt' });
  });

  test('is not performed again within "replayWithinMs", now or later', async () => {
    const { options } = await doubt({ notAfterMs: past(), replayWithinMs: 60_000 });
    const effect = vi.fn();
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => void events.push(type);
    const performed = await perform(effect, { ...options, onEvent });
    expect(performed).toMatchObject({ state: 'in-doubt' });
    expect(events).toEqual(['in-doubt']);
    expect(performed).not.toHaveProperty('replayForMs');
    expect(effect).not.toHaveBeenCalled();
  });

  test('stays in doubt when its time ends during its replay', async () => {
    const { options, readNow } = await doubt({ replayWithinMs: 60_000 });
    const sent: string[] = [];
    const late = { ...options, notAfterMs: soon() };
    const performed = await perform((claim) => sendLate(claim, sent), late);
    expect(performed).toMatchObject({ state: 'in-doubt' });
    expect(performed).not.toHaveProperty('replayForMs');
    expect(sent).toEqual([]);
    expect(await readNow()).toMatchObject({ state: 'in-doubt' });
  });

  test.each([
    ['not-sent', 'skipped'],
    ['sent', 'duplicate'],
  ] as const)('is resolved as %s: %s', async (verdict, state) => {
    const { options } = await doubt({ notAfterMs: past(), resolver: async () => verdict });
    const effect = vi.fn();
    expect(await perform(effect, options)).toMatchObject({ state });
    expect(effect).not.toHaveBeenCalled();
  });
});

test.each([Number.NaN, 1.5, '2026-12-24', new Date(), null])(
  '"notAfterMs" of %s is an OptionError',
  async (wrong) => {
    const { options } = setup();
    const effect = vi.fn();
    const run = perform(effect, { ...options, notAfterMs: wrong as number });
    await expect(run).rejects.toBeInstanceOf(OptionError);
    await expect(run).rejects.toThrow('"notAfterMs" to be whole milliseconds since 1970');
    expect(effect).not.toHaveBeenCalled();
  },
);
