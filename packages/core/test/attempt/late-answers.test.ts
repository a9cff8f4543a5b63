import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { type Attempt, type Ledger, perform, type Resolver } from '../../src/index.ts';
import { away, holding, scene, SHORT_LEASE_MS, silence } from './scene.ts';

describe('an answer "won, dispatched" that is older than a lease', () => {
  test('is confirmed by a second question, and the email is sent', async () => {
    const { ledger, start, stateNow, left } = scene({ leaseMs: SHORT_LEASE_MS });
    const held = holding(ledger, 'claim');
    const dispatch = vi.fn((attempt: Attempt) => ledger.dispatch(attempt));
    const { ended, events } = start(() => left.push('late'), {
      ledger: { ...held.ledger, dispatch },
    });
    await held.executed;
    await silence();
    held.letGo();
    expect(await ended).toMatchObject({ state: 'sent' });
    expect(dispatch).toHaveBeenCalled();
    expect(left).toEqual(['late']);
    expect(await stateNow()).toBe('sent');
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('leaves its email listed when that question is not answered: others may have read "in doubt"', async () => {
    const { ledger, start, advance, attempt, listed, left } = scene({ leaseMs: SHORT_LEASE_MS });
    const held = holding(ledger, 'claim');
    const { ended, events } = start(() => left.push('late'), {
      ledger: { ...held.ledger, dispatch: away },
    });
    await held.executed;
    await silence();
    advance(2 * SHORT_LEASE_MS);
    expect(await attempt('copy', { leaseMs: 60_000 })).toMatchObject({ state: 'in-doubt' });
    held.letGo();
    expect(await ended).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE', mayHaveLeft: 'no' });
    expect(events.slice(-2)).toEqual(['in-doubt', 'unavailable']);
    expect(await listed()).toMatchObject([{ lateNotSent: true }]);
    expect(await attempt('next', { leaseMs: 60_000 })).toMatchObject({ state: 'sent' });
    expect(left).toEqual(['next']);
  });
});

test('a claim that meets its own doubt asks no resolver: its sender knows that nothing was sent', async () => {
  const resolver = vi.fn<Resolver>(async () => 'sent');
  const { ledger, start, sendAs, fallInDoubt, listed, left } = scene({ resolver });
  const { ended } = start(sendAs('late'), {
    ledger: {
      ...ledger,
      async claim(request) {
        await ledger.claim(request);
        await fallInDoubt();
        // Its client was cut off and sends the command again.
        return ledger.claim(request);
      },
    },
  });
  expect(await ended).toEqual({ state: 'busy', retryAfterMs: 0 });
  expect(resolver).not.toHaveBeenCalled();
  expect(await listed()).toMatchObject([{ lateNotSent: true }]);
  expect(left).toEqual([]);
});

// Side by side, as they wait.
describe.concurrent('a ledger that does not answer', () => {
  const LEASE_MS = 2_000;
  const isOver = async (ended: Promise<unknown>) => {
    const startMs = performance.now();
    return { error: await ended, tookMs: performance.now() - startMs };
  };

  test('ends the attempt within its lease, where its claim is not answered', async () => {
    const { ledger, start } = scene({ leaseMs: LEASE_MS });
    const down: Ledger = { ...ledger, claim: away, release: away };
    const { error, tookMs } = await isOver(start(() => 7, { ledger: down }).ended);
    expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE', mayHaveLeft: 'no' });
    expect(tookMs).toBeLessThan(LEASE_MS);
  });

  test('ends the send within its lease, where its dispatch is not answered', async () => {
    const { ledger, start } = scene({ leaseMs: LEASE_MS, dispatch: 'at-send' });
    let sending: Promise<{ readonly error: unknown; readonly tookMs: number }> | undefined;
    const { ended } = start(
      async (claim) => {
        sending = isOver(claim.dispatch().catch((error: unknown) => error));
        await sending;
      },
      { ledger: { ...ledger, dispatch: away } },
    );
    await ended;
    const { error, tookMs } = (await sending)!;
    expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(tookMs).toBeLessThan(LEASE_MS);
  });

  test('ends the send of a replay within its lease, where its doubt is not confirmed', async () => {
    const all = scene({ replayWithinMs: 600_000 });
    await all.start(() => Promise.reject(new Error('reset'))).ended;
    let isAway = false;
    const { ledger } = all;
    let sending: Promise<{ readonly error: unknown; readonly tookMs: number }> | undefined;
    const { ended } = all.start(
      async (claim) => {
        isAway = true;
        await sleep(LEASE_MS + 50);
        sending = isOver(claim.dispatch().catch((error: unknown) => error));
        await sending;
      },
      {
        leaseMs: LEASE_MS,
        ledger: { ...ledger, heartbeat: (every) => (isAway ? away() : ledger.heartbeat(every)) },
      },
    );
    await ended;
    const { error, tookMs } = (await sending)!;
    expect(error).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
    expect(tookMs).toBeLessThan(LEASE_MS);
  });

  test('ends an attempt whose claim came back late and cannot be confirmed', async () => {
    const { ledger, key } = scene();
    const held = holding(ledger, 'claim');
    const down: Ledger = { ...held.ledger, dispatch: away, read: away, release: away };
    const ended = perform(() => expect.unreachable(), {
      ledger: { ...down, settle: away },
      key,
      leaseMs: SHORT_LEASE_MS,
    });
    await held.executed;
    await silence();
    held.letGo();
    await expect(ended).rejects.toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE' });
  });

  test('ends an attempt that meets its own doubt', async () => {
    const { ledger, start, fallInDoubt } = scene();
    const { ended } = start(() => expect.unreachable(), {
      leaseMs: 60,
      ledger: {
        ...ledger,
        async claim(request) {
          await ledger.claim({ ...request, leaseMs: 60_000 });
          await fallInDoubt();
          return ledger.claim(request);
        },
        read: away,
        release: away,
        settle: away,
      },
    });
    expect(await ended).toEqual({ state: 'busy', retryAfterMs: 0 });
  });
});
