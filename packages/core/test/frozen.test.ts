import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  type Claim,
  type ClaimReply,
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

const LEASE_MS = 300;
/** By then a dispatch whose sender is silent is in doubt. */
const SILENCE_MS = 2 * LEASE_MS + 30;

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), passed };
}

/** A claim is executed, and when its process has slept past two leases its answer is lost. */
const claimUnanswered = (sound: Ledger): Partial<Ledger> => ({
  async claim(request) {
    await sound.claim(request);
    await sleep(2 * SILENCE_MS);
    throw new LedgerUnavailableError('The reply was lost.');
  },
});

/** One email, a ledger, and people who decide about it. */
function scene(options: Partial<PerformOptions> = {}) {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const all: PerformOptions = { ledger, key, leaseMs: LEASE_MS, dispatch: 'at-send', ...options };
  const names: string[] = [];
  return {
    ledger,
    key,
    /** Who has sent an email. */
    names,
    /** The ledger of a process that is frozen there: it sends no heartbeat. */
    frozen: (change: (sound: Ledger) => Partial<Ledger>): Ledger => ({
      ...ledger,
      heartbeat: () => new Promise<never>(() => {}),
      ...change(ledger),
    }),
    perform: (effect: (claim: Claim) => unknown, changed: Partial<PerformOptions> = {}) =>
      perform(effect, { ...all, ...changed }).then(
        ({ state }) => state,
        (error: { code?: string }) => error.code,
      ),
    sendAs: (name: string) => async (claim: Claim) => {
      await claim.dispatch();
      names.push(name);
    },
    /** A person finds that it was not sent. */
    decideNotSent: async () => {
      const { token } = (await ledger.read(key)) as LedgerRecord;
      const verdict = { key, token, verdict: 'not-sent', by: 'ada', retentionMs: 60_000 } as const;
      expect(await ledger.resolve(verdict)).toEqual({ state: 'resolved' });
    },
    listed: async () => {
      const notes: (string | undefined)[] = [];
      for await (const { lateNotSent, note } of ledger.list({ state: 'in-doubt' })) {
        notes.push(lateNotSent ? 'late "not sent"' : note);
      }
      return notes;
    },
  };
}

test('after a cancellation that was acknowledged, a sender that wakes up changes nothing', async () => {
  const { ledger, key, perform, frozen, decideNotSent, sendAs, names } = scene();
  const [settling, wake] = [gate(), gate()];
  const late = perform(
    async (claim) => {
      await claim.dispatch();
      throw new Error('reset, nothing left');
    },
    {
      ledger: frozen((sound) => ({
        async settle(settlement) {
          settling.open();
          await wake.passed;
          return sound.settle(settlement);
        },
      })),
    },
  );
  await settling.passed;
  await sleep(SILENCE_MS);
  await decideNotSent();
  expect(await ledger.cancel({ key, retentionMs: 60_000 })).toEqual({ state: 'cancelled' });
  wake.open();
  // It does not know whether its email left, and says so.
  expect(await late).toBe('SENDONCE_NOT_RECORDED');
  const resolver = async () => 'not-sent' as const;
  expect(await perform(sendAs('next'), { resolver })).toBe('cancelled');
  expect(names).toEqual([]);
});

describe('an email that its provider lets be sent again', () => {
  const replayWithinMs = 2_000;

  test.each(['claim', 'dispatch'] as const)(
    'a sender whose answer to %s is old does not send: it may have been replayed, and the window be over',
    async (verb) => {
      const { ledger, key, perform, frozen, sendAs, names } = scene({
        replayWithinMs,
        dispatch: verb === 'claim' ? 'before-processor' : 'at-send',
      });
      const [executed, wake] = [gate(), gate()];
      const hold = async <T>(answer: Promise<T>): Promise<T> => {
        await answer;
        executed.open();
        await wake.passed;
        return answer;
      };
      const late = perform(sendAs('late'), {
        ledger: frozen((sound) => ({
          [verb]: (attempt: never) => hold<unknown>(sound[verb](attempt)),
        })),
      });
      await executed.passed;
      await sleep(SILENCE_MS);
      const { atMs } = (await ledger.read(key)) as LedgerRecord;
      const lost = async (claim: Claim) => {
        await sendAs('replay')(claim);
        throw new Error('its reply is lost');
      };
      expect(await perform(lost)).toBe('in-doubt');
      wake.open();
      expect(await late).toBe('busy');
      expect(names).toEqual(['replay']);
      expect(await ledger.read(key)).toMatchObject({ state: 'in-doubt', atMs });
    },
  );

  test('a replay that was frozen sees what a person has decided', async () => {
    const { ledger, key, perform, frozen, decideNotSent, sendAs, names } = scene({
      replayWithinMs,
    });
    const dead = { key, token: createToken(), leaseMs: LEASE_MS, retentionMs: 60_000 };
    await ledger.claim({ ...dead, dispatched: true });
    await sleep(SILENCE_MS);
    const [replaying, wake] = [gate(), gate()];
    let isHeard = true;
    const late = perform(
      async (claim) => {
        replaying.open();
        await wake.passed;
        await sendAs('replay')(claim);
      },
      {
        ledger: frozen((sound) => ({
          heartbeat: (attempts) =>
            isHeard ? sound.heartbeat(attempts) : new Promise<never>(() => {}),
        })),
      },
    );
    await replaying.passed;
    isHeard = false;
    await sleep(SILENCE_MS);
    await decideNotSent();
    isHeard = true;
    wake.open();
    expect(await late).toBe('busy');
    expect(names).toEqual([]);
    expect(await ledger.read(key)).toBeUndefined();
    expect(await perform(sendAs('next'))).toBe('sent');
  });

  test('a sender that got no reply to its dispatch has sent nothing: its job is tried again', async () => {
    const { perform, frozen, sendAs, listed } = scene({ replayWithinMs });
    const away = async (): Promise<never> => {
      await sleep(LEASE_MS + 20);
      throw new LedgerUnavailableError('The server is away.');
    };
    const late = perform(sendAs('late'), {
      ledger: frozen(() => ({ dispatch: away, settle: away, release: away })),
    });
    // And not SENDONCE_NOT_RECORDED, which fails the job permanently: the email has no record.
    expect(await late).toBe('SENDONCE_LEDGER_UNAVAILABLE');
    await sleep(LEASE_MS);
    expect(await listed()).toEqual([]);
    expect(await perform(sendAs('next'))).toBe('sent');
  });

  test('where it may have been replayed, a claim without answer leaves the doubt as it is', async () => {
    const { ledger, key, perform, frozen, sendAs, names } = scene({
      replayWithinMs,
      dispatch: 'before-processor',
    });
    const late = perform(sendAs('late'), { ledger: frozen(claimUnanswered) });
    await sleep(SILENCE_MS);
    const lost = async (claim: Claim) => {
      await sendAs('replay')(claim);
      throw new Error('its reply is lost');
    };
    expect(await perform(lost)).toBe('in-doubt');
    const doubt = await ledger.read(key);
    expect(await late).toBe('SENDONCE_LEDGER_UNAVAILABLE');
    expect(await ledger.read(key)).toEqual(doubt);
    expect(names).toEqual(['replay']);
  });
});

test('a second email of a claim (a fallback) asks again: what heartbeats keep may be a mere claim', async () => {
  const { ledger, perform, decideNotSent, sendAs, names } = scene();
  const [refused, wake] = [gate(), gate()];
  let isCut = true;
  let claimAgain = async (): Promise<ClaimReply> => ({ state: 'won' });
  const late = perform(
    async (claim) => {
      const first = claim.begin();
      await first.dispatch();
      first.report({ verdict: 'refused' });
      refused.open();
      await wake.passed;
      const second = claim.begin();
      await second.dispatch();
      names.push('late');
      isCut = true;
      await sleep(2 * SILENCE_MS);
      second.report({ verdict: 'unknown' });
    },
    {
      ledger: {
        ...ledger,
        claim: (request) => (claimAgain = () => ledger.claim(request))(),
        heartbeat: (attempts) =>
          isCut ? new Promise<never>(() => {}) : ledger.heartbeat(attempts),
      },
    },
  );
  await refused.passed;
  await sleep(SILENCE_MS);
  await decideNotSent();
  // A client sends it again that was cut off.
  await claimAgain();
  isCut = false;
  await sleep(LEASE_MS / 2);
  wake.open();
  await sleep(SILENCE_MS);
  expect(await perform(sendAs('next'))).toBe('in-doubt');
  expect(names).toEqual(['late']);
  await late;
});

describe('other jobs read "in doubt" and failed permanently: the email stays listed', () => {
  test('a claim that dispatched, whose answer was lost before its process slept', async () => {
    const { perform, frozen, sendAs, listed } = scene({ dispatch: 'before-processor' });
    const late = perform(sendAs('late'), { ledger: frozen(claimUnanswered) });
    await sleep(SILENCE_MS);
    expect(await perform(sendAs('copy'))).toBe('in-doubt');
    expect(await late).toBe('SENDONCE_LEDGER_UNAVAILABLE');
    expect(await listed()).toEqual(['late "not sent"']);
    expect(await perform(sendAs('copy'))).toBe('sent');
  });

  test.each(['claim', 'dispatch'] as const)(
    'a %s that its client sends again, late: it gets "in doubt", too',
    async (verb) => {
      const dispatch = verb === 'claim' ? 'before-processor' : 'at-send';
      const { perform, frozen, sendAs, listed, names } = scene({ dispatch });
      const late = perform(sendAs('late'), {
        ledger: frozen((sound) => ({
          async [verb](attempt: never) {
            await sound[verb](attempt);
            await sleep(2 * SILENCE_MS);
            return sound[verb](attempt);
          },
        })),
      });
      await sleep(SILENCE_MS);
      expect(await perform(sendAs('copy'))).toBe('in-doubt');
      expect(await late).toBe('busy');
      expect(await listed()).toEqual(['late "not sent"']);
      expect(await perform(sendAs('copy'))).toBe('sent');
      expect(names).toEqual(['copy']);
    },
  );

  test('a release that arrives late', async () => {
    const { perform, frozen, sendAs, listed } = scene();
    const late = perform(
      async (claim) => {
        await claim.dispatch();
        throw new NotSentError('No connection.');
      },
      {
        ledger: frozen((sound) => ({
          async release(attempt) {
            await sleep(2 * SILENCE_MS);
            return sound.release(attempt);
          },
        })),
      },
    );
    await sleep(SILENCE_MS);
    expect(await perform(sendAs('copy'))).toBe('in-doubt');
    expect(await late).toBe('SENDONCE_NOT_SENT');
    expect(await listed()).toEqual(['late "not sent"']);
    expect(await perform(sendAs('copy'))).toBe('sent');
  });
});
