import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import {
  type Claim,
  deriveKey,
  type Ledger,
  type LedgerRecord,
  LedgerUnavailableError,
  memoryLedger,
  NotSentError,
  perform,
  type PerformOptions,
} from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

const LEASE_MS = 100;

/** A sender that is frozen past its two leases: its ledger gets no heartbeat. */
function scene(
  change: (sound: Ledger) => Partial<Ledger> = () => ({}),
  error: Error = new NotSentError('The connection was closed before the final dot.'),
) {
  const sound = memoryLedger();
  const silent = { heartbeat: () => new Promise<never>(() => {}) };
  const key = deriveKey(createToken());
  const events: string[] = [];
  const options: { -readonly [name in keyof PerformOptions]: PerformOptions[name] } = {
    ledger: sound,
    key,
    dispatch: 'at-send',
    leaseMs: LEASE_MS,
    onEvent: ({ type }) => events.push(type),
  };
  const frozenLedger = { ...sound, ...silent, ...change(sound) };

  async function listed(): Promise<LedgerRecord[]> {
    const records: LedgerRecord[] = [];
    for await (const record of sound.list({ state: 'in-doubt' })) records.push(record);
    return records;
  }

  const send = async (claim: Claim) => {
    await claim.dispatch();
    return 'sent';
  };

  return {
    sound,
    options,
    /** Sends, on the ledger of the frozen one; resolves with what it throws. */
    run: () => perform(send, { ...options, ledger: frozenLedger }).catch((error: unknown) => error),
    events,
    listed,
    /**
     * Dispatches, is frozen past two leases, and learns when it wakes up that its email did not
     * leave.
     */
    freeze: async () => {
      let wake = () => {};
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const ended = perform(
        async (claim: Claim) => {
          await claim.dispatch();
          await woken;
          throw error;
        },
        { ...options, ledger: frozenLedger },
      );
      ended.catch(() => {});
      const isLong = options.leaseMs !== LEASE_MS;
      const asleep = isLong ? 'dispatched' : 'in-doubt';
      await vi.waitUntil(async () => (await sound.read(key))?.state === asleep, 15_000);
      return async () => {
        wake();
        return ended.catch((thrown: unknown) => thrown);
      };
    },
    /** Another copy of the job. */
    copy: () =>
      perform(async (claim) => {
        await claim.dispatch();
        return 'sent by the copy';
      }, options),
  };
}

describe('a sender that wakes up when others have given up, and knows that nothing was sent', () => {
  test('the email stays listed, and the next attempt sends it', async () => {
    const { freeze, copy, listed } = scene();
    const wake = await freeze();
    // Its job fails permanently: only a person who looks at the list can retry it.
    expect(await copy()).toMatchObject({ state: 'in-doubt' });
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await listed()).toMatchObject([{ state: 'in-doubt', lateNotSent: true }]);
    expect(await copy()).toMatchObject({ state: 'sent', value: 'sent by the copy' });
    expect(await listed()).toEqual([]);
  });

  test('the same if the reply to its dispatch never arrived', async () => {
    const { copy, listed, run } = scene((sound) => ({
      async dispatch(attempt) {
        await sound.dispatch(attempt);
        await sleep(4 * LEASE_MS);
        throw new LedgerUnavailableError('The reply was lost.');
      },
    }));
    const ended = run();
    await sleep(3 * LEASE_MS);
    expect(await copy()).toMatchObject({ state: 'in-doubt' });
    expect(await ended).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(await listed()).toMatchObject([{ lateNotSent: true }]);
    expect(await copy()).toMatchObject({ state: 'sent' });
  });

  test('a cancellation that came when its lease was over stays', async () => {
    const { sound, options, listed, run } = scene((ledger) => ({
      async dispatch() {
        await sleep(2 * LEASE_MS + 20);
        await ledger.cancel({ key: options.key, retentionMs: 60_000 });
        throw new LedgerUnavailableError('It was never executed.');
      },
    }));
    expect(await run()).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect((await sound.read(options.key))?.state).toBe('cancelled');
    expect(await listed()).toEqual([]);
  });

  test('where it may have been replayed meanwhile, its "not sent" decides nothing', async () => {
    const { options, freeze, listed } = scene();
    options.replayWithinMs = 60_000;
    const wake = await freeze();
    expect(await wake()).toMatchObject({ state: 'in-doubt' });
    expect(await listed()).toMatchObject([{ note: 'SENDONCE_NOT_SENT' }]);
  });

  test('the same where its resolver finds that out', async () => {
    const { options, freeze, copy, listed } = scene(undefined, new Error('reset'));
    options.resolver = async () => 'not-sent';
    const wake = await freeze();
    expect(await wake()).toMatchObject({ state: 'in-doubt' });
    expect(await listed()).toHaveLength(1);
    expect(await copy()).toMatchObject({ state: 'sent' });
  });

  test('within its lease the claim is released, and nothing is listed', async () => {
    const { options, freeze, copy, listed, events } = scene();
    options.leaseMs = 60_000;
    const wake = await freeze();
    expect(await copy()).toMatchObject({ state: 'busy' });
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(events).toContain('released');
    expect(await listed()).toEqual([]);
  });
});
