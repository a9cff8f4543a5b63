import { describe, expect, test } from 'vitest';
import { type Claim, type Ledger, NotSentError, type PerformOptions } from '../../src/index.ts';
import { away, gate, holding, scene, SHORT_LEASE_MS, silence, unheard } from './scene.ts';

const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

/** Dispatches, sleeps, and knows when it wakes up that nothing was sent. */
const unsent = async (claim: Claim, sleeps: () => Promise<void>) => {
  await claim.dispatch();
  await sleeps();
  throw new NotSentError('No connection.');
};

/** An attempt that sends no command from the moment at which its effect calls `sleeps`. */
function silentSender(options: Partial<PerformOptions> = {}) {
  const all = scene({ dispatch: 'at-send', ...options });
  const [sleeping, waking] = [gate(), gate()];
  return {
    ...all,
    fallAsleep: async (
      effect: (claim: Claim, sleeps: () => Promise<void>) => Promise<unknown>,
      change: (ledger: Ledger) => Ledger = (ledger) => ledger,
    ) => {
      const sleeps = async () => {
        sleeping.open();
        await waking.passed;
      };
      const late = all.start((claim) => effect(claim, sleeps), {
        leaseMs: SHORT_LEASE_MS,
        ledger: change(unheard(all.ledger)),
      });
      await sleeping.passed;
      await silence();
      return {
        events: late.events,
        wake: () => {
          waking.open();
          return late.ended;
        },
      };
    },
  };
}

describe('a sender that was silent, while others read "in doubt", and then a heartbeat of it arrived', () => {
  test('leaves its email listed when it was not sent, and the next attempt sends it', async () => {
    const { fallAsleep, fallInDoubt, attempt, heartbeat, stateNow, listed, left } = silentSender();
    const { wake, events } = await fallAsleep(unsent);
    await fallInDoubt();
    expect(await attempt('copy')).toMatchObject({ state: 'in-doubt' });
    await heartbeat();
    expect(await stateNow()).toBe('dispatched');
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(events).toEqual(['claimed', 'dispatched', 'lost', 'in-doubt']);
    expect(await listed()).toMatchObject([{ lateNotSent: true }]);
    expect(await attempt('next')).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['next']);
  });

  test('does the same if the reply to its dispatch never arrived', async () => {
    const { fallAsleep, fallInDoubt, attempt, heartbeat, stateNow, listed } = silentSender();
    let sleepsNow = async () => {};
    const { wake } = await fallAsleep(
      async (claim, sleeps) => {
        sleepsNow = sleeps;
        await claim.dispatch();
      },
      (ledger) => ({
        ...ledger,
        async dispatch(request) {
          await ledger.dispatch(request);
          await sleepsNow();
          return away();
        },
      }),
    );
    await fallInDoubt();
    expect(await attempt('copy')).toMatchObject({ state: 'in-doubt' });
    await heartbeat();
    expect(await stateNow()).toBe('dispatched');
    expect(await wake()).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(await listed()).toMatchObject([{ lateNotSent: true }]);
  });
});

describe('a heartbeat that is still on its way when the sender wakes up', () => {
  test('hides no doubt that the sender has read: the email stays listed', async () => {
    const { ledger, fallAsleep, fallInDoubt, heartbeat, listed } = silentSender();
    const { wake } = await fallAsleep(unsent, (unheard) => ({
      ...unheard,
      async release(attempt) {
        await heartbeat();
        return ledger.release(attempt);
      },
    }));
    await fallInDoubt();
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await listed()).toMatchObject([{ lateNotSent: true }]);
  });
});

describe('a sender that was silent, and whose email was not sent', () => {
  test('leaves no doubt behind where a person has resolved it as not sent', async () => {
    const { fallAsleep, fallInDoubt, resolve, stateNow } = silentSender();
    const { wake, events } = await fallAsleep(unsent);
    await fallInDoubt();
    await resolve('not-sent');
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await stateNow()).toBeUndefined();
    expect(events.at(-1)).toBe('released');
  });

  test('leaves no doubt behind where another attempt has dispatched, and is released at that moment', async () => {
    const { ledger, key, fallAsleep, fallInDoubt, resolve, stateNow } = silentSender();
    const other = { key, token: 'o'.repeat(16), leaseMs: 60_000, retentionMs: 600_000 };
    const { wake } = await fallAsleep(unsent, (unheard) => ({
      ...unheard,
      async release(attempt) {
        await ledger.release(other);
        return ledger.release(attempt);
      },
      async settle(settlement) {
        await ledger.release(other);
        return ledger.settle(settlement);
      },
    }));
    await fallInDoubt();
    await resolve('not-sent');
    await ledger.claim({ ...other, dispatched: true });
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await stateNow()).toBeUndefined();
  });

  test('says that nothing was recorded where a person resolves its doubt as sent at that moment', async () => {
    const { ledger, fallAsleep, fallInDoubt, resolve, read } = silentSender();
    const { wake, events } = await fallAsleep(unsent, (unheard) => ({
      ...unheard,
      async settle(settlement) {
        await resolve('sent');
        return ledger.settle(settlement);
      },
    }));
    await fallInDoubt();
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(await read()).toMatchObject({ state: 'sent', resolvedBy: 'ada' });
    expect(events.at(-1)).toBe('unrecorded');
  });

  test('emits "unrecorded" if the ledger does not answer, and throws its own error', async () => {
    const { fallAsleep } = silentSender();
    const { wake, events } = await fallAsleep(unsent, (ledger) => ({
      ...ledger,
      read: away,
      release: away,
      settle: away,
    }));
    expect(await wake()).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
    expect(events.at(-1)).toBe('unrecorded');
  });

  test('is released where it never asked to dispatch, also where replays are allowed', async () => {
    const { fallAsleep, stateNow } = silentSender({ replayWithinMs: 600_000 });
    const { wake, events } = await fallAsleep(async (_claim, sleeps) => {
      await sleeps();
      throw reset;
    });
    expect(await wake()).toBe(reset);
    expect(await stateNow()).toBeUndefined();
    expect(events).toEqual(['claimed', 'lost', 'released']);
  });
});

describe('a sender that was silent, and does not know whether its email was sent', () => {
  const unclear = async (claim: Claim, sleeps: () => Promise<void>) => {
    await claim.dispatch();
    await sleeps();
    throw reset;
  };

  test('is a duplicate when its resolver finds the email sent', async () => {
    const resolver = async () => 'sent' as const;
    const { fallAsleep, fallInDoubt, stateNow } = silentSender({ resolver });
    const { wake } = await fallAsleep(unclear);
    await fallInDoubt();
    expect(await wake()).toMatchObject({ state: 'duplicate' });
    expect(await stateNow()).toBe('sent');
  });

  test('is released when its resolver finds the email not sent, and nothing was dispatched', async () => {
    const resolver = async () => 'not-sent' as const;
    const { fallAsleep, stateNow } = silentSender({ resolver });
    const { wake, events } = await fallAsleep(async (claim, sleeps) => {
      await sleeps();
      claim.report({ verdict: 'unknown' });
      throw reset;
    });
    expect(await wake()).toBe(reset);
    expect(await stateNow()).toBeUndefined();
    expect(events.at(-1)).toBe('released');
  });
});

test('a release that finds a doubt is no late "not sent" where the email may have been replayed', async () => {
  const { ledger, start, fallInDoubt, listed } = scene({
    dispatch: 'at-send',
    replayWithinMs: 600_000,
  });
  const { events, ended } = start(
    async (claim) => {
      await claim.dispatch();
      throw new NotSentError('No connection.');
    },
    {
      ledger: {
        ...ledger,
        async release(attempt) {
          await fallInDoubt();
          return ledger.release(attempt);
        },
      },
    },
  );
  expect(await ended).toMatchObject({ code: 'SENDONCE_NOT_SENT' });
  expect(events.at(-1)).toBe('in-doubt');
  const [doubt] = await listed();
  expect(doubt).toMatchObject({ state: 'in-doubt' });
  expect(doubt).not.toHaveProperty('lateNotSent');
});

test('a claim that was cancelled before its dispatch sent nothing: there is no outcome to alert on', async () => {
  const { ledger, key, start, stateNow } = scene({ dispatch: 'at-send' });
  const { events, ended } = start(async () => {
    await ledger.cancel({ key, retentionMs: 600_000 });
    throw reset;
  });
  expect(await ended).toBe(reset);
  expect(await stateNow()).toBe('cancelled');
  expect(events).toEqual(['claimed', 'released']);
});

test('a lease that is lost when the effect has ended is not reported any more', async () => {
  // The heartbeat comes after 200 ms, and 400 ms later the claim would be lost for its silence.
  const { ledger, start } = scene({ leaseMs: 600 });
  const lost: Ledger = { ...ledger, heartbeat: async (all) => all.map(() => 'lost' as const) };
  const held = holding(lost, 'heartbeat');
  const { events, ended } = start(() => held.executed, { ledger: held.ledger });
  expect(await ended).toMatchObject({ state: 'sent' });
  held.letGo();
  await silence();
  expect(events).toEqual(['claimed', 'dispatched', 'sent']);
});
