import { beforeEach, expect, test, vi } from 'vitest';
import {
  deriveKey,
  type Ledger,
  memoryLedger,
  OptionError,
  perform,
  type PerformOptions,
} from '../src/index.ts';
import { createToken, registerDispatcher } from '../src/store/index.ts';

beforeEach(registerDispatcher);

const MODES = ['before-processor', 'at-send'] as const;
const times = { leaseMs: 30_000, retentionMs: 60_000 };

function setup(overrides: Partial<PerformOptions> = {}) {
  const verbs: string[] = [];
  const ledger = recording(memoryLedger(), verbs);
  const key = deriveKey(createToken());
  const events: string[] = [];
  const options: PerformOptions = {
    ledger,
    key,
    testMode: true,
    onEvent: ({ type, note }) => void events.push(note === undefined ? type : `${type} ${note}`),
    ...overrides,
  };
  const effect = vi.fn(async () => 'sent');
  return { ledger, key, verbs, events, options, effect };
}

/** Notes each verb that is asked for, and whether a claim dispatches. */
function recording(ledger: Ledger, verbs: string[]): Ledger {
  return {
    ...ledger,
    claim(request) {
      verbs.push(request.dispatched ? 'claim and dispatch' : 'claim');
      return ledger.claim(request);
    },
    dispatch(attempt) {
      verbs.push('dispatch');
      return ledger.dispatch(attempt);
    },
    settle(settlement) {
      verbs.push(`settle ${settlement.outcome}`);
      return ledger.settle(settlement);
    },
  };
}

test.each(MODES)('%s: the effect does not run, and the email is skipped', async (dispatch) => {
  const { ledger, key, verbs, events, options, effect } = setup({ dispatch });
  const performed = await perform(effect, options);
  expect(performed).toEqual({ state: 'skipped', reason: 'test-mode' });
  expect(effect).not.toHaveBeenCalled();
  expect(await ledger.read(key)).toMatchObject({ state: 'skipped', note: 'test-mode' });
  expect(events).toEqual(['claimed', 'skipped test-mode']);
  // A crash between the two leaves no doubt: the claim expires.
  expect(verbs).toEqual(['claim', 'settle skipped']);
});

test.each(['in-doubt', 'sent', 'skipped'] as const)(
  'undispatched %s changes nothing',
  async (undispatched) => {
    const { options, effect } = setup({ dispatch: 'at-send', undispatched });
    const performed = await perform(effect, options);
    expect(performed).toEqual({ state: 'skipped', reason: 'test-mode' });
    expect(effect).not.toHaveBeenCalled();
  },
);

test.each(MODES)('%s: without test mode, the same email is sent afterwards', async (dispatch) => {
  const { options } = setup({ dispatch });
  await perform(() => 'nothing', options);
  const performed = await perform(
    async (claim) => {
      await claim.dispatch();
      return 'sent';
    },
    { ...options, testMode: false },
  );
  expect(performed).toEqual({ state: 'sent', value: 'sent' });
});

test('an email that was sent or cancelled before keeps its outcome', async () => {
  const sent = setup();
  await perform(() => 'first', { ...sent.options, testMode: undefined });
  const duplicate = await perform(sent.effect, sent.options);
  expect(duplicate).toMatchObject({ state: 'duplicate', value: 'first' });

  const cancelled = setup();
  await cancelled.ledger.cancel({ key: cancelled.key, retentionMs: 60_000 });
  const performed = await perform(cancelled.effect, cancelled.options);
  expect(performed).toMatchObject({ state: 'cancelled' });
  expect([sent.effect, cancelled.effect].flatMap(({ mock }) => mock.calls)).toEqual([]);
});

test.each(MODES)('%s: an email in doubt stays in doubt and is not replayed', async (dispatch) => {
  let nowMs = Date.now();
  const ledger = memoryLedger({ now: () => nowMs });
  const { key, events, options, effect } = setup({ ledger, dispatch, replayWithinMs: 600_000 });
  const dead = { key, token: createToken(), ...times };
  await ledger.claim({ ...dead, dispatched: true });
  nowMs += 2 * times.leaseMs;
  const before = await ledger.read(key);
  expect(await perform(effect, options)).toMatchObject({ state: 'in-doubt' });
  expect(effect).not.toHaveBeenCalled();
  expect(events).toEqual(['in-doubt']);
  expect(await ledger.read(key)).toEqual(before);
});

test('a value that is no boolean is an OptionError, because "false" would be true', async () => {
  const { options, effect } = setup();
  const wrong = { ...options, testMode: 'false' as unknown as boolean };
  const failed = perform(effect, wrong);
  await expect(failed).rejects.toBeInstanceOf(OptionError);
  await expect(failed).rejects.toThrow('Expected "testMode" to be true or false, got "false".');
});

test('one process warning says that it is on', async () => {
  const immediate = () => new Promise((resolve) => setImmediate(resolve));
  // Those of the tests before.
  await immediate();
  const warnings: Error[] = [];
  const listener = (warning: Error) => void warnings.push(warning);
  process.on('warning', listener);
  vi.resetModules();
  const fresh = await import('../src/index.ts');
  for (const id of [1, 2]) {
    const email = { key: fresh.deriveKey(['notice', id]), job: { queue: `q${id}`, id: '1' } };
    await fresh.perform(() => 'sent', { ledger: fresh.memoryLedger(), testMode: true, ...email });
  }
  await immediate();
  process.off('warning', listener);
  expect(warnings.map((warning) => (warning as { code?: string }).code)).toEqual([
    'SENDONCE_TEST_MODE',
  ]);
  expect(warnings[0]!.message).toContain('no email leaves');
});
