import { describe, expect, test } from 'vitest';
import type { Ledger, PerformOptions } from '../../src/index.ts';
import { away, gate, holding, scene, SHORT_LEASE_MS, silence, unheard } from './scene.ts';

/**
 * An email that its provider recognises for ten minutes, so that a doubt may be performed again.
 */
const replayable = (options: Partial<PerformOptions> = {}) =>
  scene({ replayWithinMs: 600_000, ...options });

const short = (ledger: Ledger) => ({ leaseMs: SHORT_LEASE_MS, ledger });

describe('a sender that was silent does not send while its email is being replayed', () => {
  test('although the ledger would answer its dispatch with "dispatched"', async () => {
    const { ledger, start, sendAs, fallInDoubt, startReplay, left } = replayable();
    const [running, wake] = [gate(), gate()];
    const late = start(
      async (claim) => {
        running.open();
        await wake.passed;
        await sendAs('late')(claim);
      },
      short(unheard(ledger)),
    );
    await running.passed;
    await silence();
    await fallInDoubt();
    const finishReplay = await startReplay();
    wake.open();
    expect(await late.ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(late.events.at(-1)).toBe('busy');
    expect(await finishReplay()).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['replay']);
  });

  test.each(['claim', 'dispatch'] as const)(
    'although the answer to its %s was "yes", a lease ago',
    async (verb) => {
      const { ledger, start, sendAs, fallInDoubt, startReplay, left } = replayable({
        dispatch: verb === 'claim' ? 'before-processor' : 'at-send',
      });
      const held = holding(unheard(ledger), verb);
      const late = start(sendAs('late'), short(held.ledger));
      await held.executed;
      await silence();
      await fallInDoubt();
      const finishReplay = await startReplay();
      held.letGo();
      expect(await late.ended).toEqual({ state: 'busy', retryAfterMs: 0 });
      expect(await finishReplay()).toMatchObject({ state: 'sent' });
      expect(left).toEqual(['replay']);
    },
  );
});

describe('the record of an email that is being replayed is not released', () => {
  test('by the claim whose answer was lost', async () => {
    const { ledger, start, sendAs, fallInDoubt, startReplay, stateNow, left } = replayable();
    const answered = gate();
    const executed = gate();
    const late = start(
      sendAs('late'),
      short({
        ...ledger,
        async claim(request) {
          await ledger.claim(request);
          executed.open();
          await answered.passed;
          return away();
        },
      }),
    );
    await executed.passed;
    await silence();
    await fallInDoubt();
    const finishReplay = await startReplay();
    answered.open();
    expect(await late.ended).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(await stateNow()).toBe('dispatched');
    expect(await finishReplay()).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['replay']);
  });

  test('by the claim that its client sent twice, and that met its own doubt', async () => {
    const { ledger, start, sendAs, fallInDoubt, startReplay, stateNow, left } = replayable();
    let finishReplay: (() => Promise<unknown>) | undefined;
    const { ended } = start(sendAs('late'), {
      ledger: {
        ...ledger,
        async claim(request) {
          await ledger.claim(request);
          await fallInDoubt();
          const reply = await ledger.claim(request);
          finishReplay = await startReplay();
          return reply;
        },
      },
    });
    expect(await ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await stateNow()).toBe('dispatched');
    expect(await finishReplay?.()).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['replay']);
  });
});

describe('what is no sign that an email was replayed', () => {
  test('a second email of the claim, after the first was refused: it is sent', async () => {
    const { start, left } = replayable({ dispatch: 'at-send' });
    const { ended, events } = start(async (claim) => {
      for (const verdict of ['refused', 'sent'] as const) {
        const email = claim.begin();
        await email.dispatch();
        left.push(verdict);
        email.report({ verdict });
      }
    });
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['refused', 'sent']);
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('silence before the first dispatch: the ledger knows whether the claim still holds', async () => {
    const { ledger, start, sendAs, left } = replayable({ dispatch: 'at-send' });
    const { ended } = start(
      async (claim) => {
        await silence();
        await sendAs('late')(claim);
      },
      short(unheard(ledger)),
    );
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['late']);
  });
});

describe('a replay', () => {
  const fails = async () => {
    throw new Error('reset');
  };

  test('that fails says how long it may be tried again', async () => {
    const { start, advance } = replayable();
    expect(await start(fails).ended).toMatchObject({ state: 'in-doubt', replayForMs: 600_000 });
    advance(400_000);
    const { replayForMs } = (await start(fails).ended) as { replayForMs: number };
    expect(replayForMs).toBeGreaterThan(100_000);
    expect(replayForMs).toBeLessThanOrEqual(200_000);
  });

  test('that fails when its window is over says that it may not be tried again', async () => {
    const { start, stateNow } = replayable({ replayWithinMs: 200 });
    await start(fails).ended;
    const ended = await start(async () => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      throw new Error('reset');
    }).ended;
    expect(ended).toMatchObject({ state: 'in-doubt' });
    expect(ended).not.toHaveProperty('replayForMs');
    expect(await stateNow()).toBe('in-doubt');
  });

  test('does not begin when its window has ended while the ledger was asked', async () => {
    const { ledger, start } = replayable({ replayWithinMs: 200 });
    await start(fails).ended;
    const performed = start(() => expect.unreachable(), {
      ledger: {
        ...ledger,
        async heartbeat(attempts) {
          await new Promise((resolve) => setTimeout(resolve, 250));
          return ledger.heartbeat(attempts);
        },
      },
    });
    expect(await performed.ended).toMatchObject({ state: 'in-doubt' });
    expect(performed.events).toEqual(['in-doubt']);
  });

  test('does not begin when the answer that allowed it is older than a resolution', async () => {
    const { ledger, start, attempt, fallInDoubt, resolve, left } = replayable();
    await start(fails).ended;
    // It is asked in two commands, a heartbeat and a read. The answer to the second one is held
    // back.
    const held = holding(ledger, 'read');
    const late = start(() => left.push('late replay'), short(held.ledger));
    await held.executed;
    await silence();
    await fallInDoubt();
    await resolve('not-sent');
    expect(await attempt('next')).toMatchObject({ state: 'sent' });
    held.letGo();
    expect(await late.ended).toMatchObject({ state: 'busy' });
    expect(left).toEqual(['next']);
  });
});

test('without a window, a doubt does not say that the email may be performed again', async () => {
  const { start } = scene();
  const ended = await start(() => Promise.reject(new Error('reset'))).ended;
  expect(ended).toMatchObject({ state: 'in-doubt' });
  expect(ended).not.toHaveProperty('replayForMs');
});

describe('a doubt that ends at the moment at which a replay renews it is not performed again', () => {
  const doubtful = async () => {
    const all = replayable();
    await all.start(() => Promise.reject(new Error('reset'))).ended;
    const renewing = (around: (renew: () => Promise<unknown>) => Promise<unknown>) =>
      all.start(() => expect.unreachable(), {
        ledger: {
          ...all.ledger,
          async heartbeat(attempts) {
            let replies: Awaited<ReturnType<Ledger['heartbeat']>> = [];
            await around(async () => (replies = await all.ledger.heartbeat(attempts)));
            return replies;
          },
        },
      }).ended;
    return { ...all, renewing };
  };

  test('where it was resolved before', async () => {
    const { renewing, resolve, stateNow } = await doubtful();
    const ended = await renewing(async (renew) => {
      await resolve('not-sent');
      await renew();
    });
    expect(ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await stateNow()).toBeUndefined();
  });

  test('where it was resolved before, and its client sent the dispatch again after the heartbeat', async () => {
    const { renewing, resolve, read, ledger, key, stateNow } = await doubtful();
    const { token } = await read();
    const ended = await renewing(async (renew) => {
      await resolve('not-sent');
      await renew();
      const again = { key, token, leaseMs: 60_000, retentionMs: 600_000 };
      await ledger.claim({ ...again, dispatched: true });
    });
    expect(ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await stateNow()).toBe('dispatched');
  });

  test('where it was resolved after the heartbeat', async () => {
    const { renewing, resolve, fallInDoubt, stateNow } = await doubtful();
    const ended = await renewing(async (renew) => {
      await renew();
      await fallInDoubt();
      await resolve('not-sent');
    });
    expect(ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await stateNow()).toBeUndefined();
  });

  test('where it was resolved, and its client sent the claim again: the heartbeat renews a mere claim', async () => {
    const { renewing, resolve, read, ledger, key, stateNow } = await doubtful();
    const { token } = await read();
    const ended = await renewing(async (renew) => {
      await resolve('not-sent');
      await ledger.claim({ key, token, leaseMs: 60_000, retentionMs: 600_000 });
      await renew();
    });
    expect(ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await stateNow()).toBe('claimed');
  });

  test('where it was resolved, and another attempt has dispatched', async () => {
    const { renewing, resolve, fallInDoubt, ledger, key, read } = await doubtful();
    const other = { key, token: 'o'.repeat(16), leaseMs: 60_000, retentionMs: 600_000 };
    const ended = await renewing(async (renew) => {
      await renew();
      await fallInDoubt();
      await resolve('not-sent');
      await ledger.claim({ ...other, dispatched: true });
    });
    expect(ended).toEqual({ state: 'busy', retryAfterMs: 0 });
    expect(await read()).toMatchObject({ state: 'dispatched', token: other.token });
  });
});
