import { describe, expect, test, vi } from 'vitest';
import { type Ledger, type PerformEvent, UnreadableRecordError } from '../../src/index.ts';
import type { Settlement, SettleReply, SettleVia } from '../../src/store/index.ts';
import { away, gate, scene, SHORT_LEASE_MS } from './scene.ts';

/** A connection of the queue: what is settled through it reaches the ledger when it answers. */
function connection(ledger: Ledger, answer?: () => Promise<SettleReply>) {
  const flushed = gate();
  const settled: string[] = [];
  const settleVia: SettleVia = (settlement) => {
    settled.push(settlement.outcome);
    return { reply: answer ? answer() : ledger.settle(settlement), flushed: flushed.passed };
  };
  return { settleVia, settled, flush: flushed.open };
}

const unrecorded = (events: readonly string[]) =>
  events.filter((type) => type === ('unrecorded' satisfies PerformEvent['type'])).length;

describe('an outcome on the connection that acknowledges the job', () => {
  test('is recorded there, and waited for until it is written to the connection', async () => {
    const { ledger, start, read } = scene();
    const { settleVia, settled, flush } = connection(ledger);
    const settle = vi.fn((settlement: Settlement) => ledger.settle(settlement));
    const { ended, events } = start(() => 7, { settleVia, ledger: { ...ledger, settle } });
    await vi.waitUntil(() => settled.length > 0, 15_000);
    expect(events).not.toContain('sent');
    flush();
    expect(await ended).toEqual({ state: 'sent', value: 7 });
    expect(await read()).toMatchObject({ state: 'sent', result: '7' });
    expect(settle).not.toHaveBeenCalled();
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('does not make the job wait for the answer', async () => {
    const { ledger, start } = scene();
    const { settleVia, flush } = connection(ledger, () => new Promise<never>(() => {}));
    flush();
    expect(await start(() => 7, { settleVia }).ended).toEqual({ state: 'sent', value: 7 });
  });

  test('is not used when the job fails: it may run again at once', async () => {
    const { ledger, start, stateNow } = scene();
    const { settleVia, settled } = connection(ledger);
    const { ended } = start(
      (claim) => {
        claim.report({ verdict: 'sent' });
        throw new Error('broken');
      },
      { settleVia },
    );
    expect(await ended).toBeInstanceOf(Error);
    expect(settled).toEqual([]);
    expect(await stateNow()).toBe('sent');
  });
});

describe('an outcome whose answer on that connection is an error', () => {
  test('is recorded by the ledger, and nothing is reported', async () => {
    const { ledger, start, stateNow } = scene();
    const { settleVia, flush } = connection(ledger, away);
    flush();
    const { ended, events } = start(() => 7, { settleVia });
    expect(await ended).toMatchObject({ state: 'sent' });
    await vi.waitUntil(async () => (await stateNow()) === 'sent', 15_000);
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
  });

  test('is reported as unrecorded after a lease, and recorded when the ledger is back', async () => {
    const { ledger, start, stateNow } = scene({ leaseMs: SHORT_LEASE_MS });
    const { settleVia, flush } = connection(ledger, away);
    flush();
    let isAway = true;
    const settle: Ledger['settle'] = async (settlement) =>
      isAway ? away() : ledger.settle(settlement);
    const { ended, events } = start(() => 7, { settleVia, ledger: { ...ledger, settle } });
    expect(await ended).toMatchObject({ state: 'sent' });
    await vi.waitUntil(() => unrecorded(events) === 1, 15_000);
    expect(await stateNow()).toBe('dispatched');
    isAway = false;
    await vi.waitUntil(async () => (await stateNow()) === 'sent', 15_000);
    expect(unrecorded(events)).toBe(1);
  });

  test('does not keep the process alive while the ledger is away', async () => {
    const { ledger, start, stateNow } = scene({ leaseMs: SHORT_LEASE_MS });
    const { settleVia, flush } = connection(ledger, away);
    flush();
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    let isAway = true;
    const settle: Ledger['settle'] = async (settlement) =>
      isAway ? away() : ledger.settle(settlement);
    const before = timers();
    const { events } = start(() => 7, { settleVia, ledger: { ...ledger, settle } });
    await vi.waitUntil(() => unrecorded(events) === 1, 15_000);
    await new Promise((resolve) => setImmediate(resolve));
    const meanwhile = timers();
    isAway = false;
    await vi.waitUntil(async () => (await stateNow()) === 'sent', 15_000);
    expect(meanwhile).toBeLessThanOrEqual(before);
  });

  test('is not repeated for an error that a repetition cannot fix: the email stays listed', async () => {
    const { ledger, key, start, stateNow } = scene({ leaseMs: SHORT_LEASE_MS });
    const broken = async (): Promise<never> => {
      throw new UnreadableRecordError(key, 'memory');
    };
    const { settleVia, flush } = connection(ledger, broken);
    flush();
    const settle = vi.fn(broken);
    const { ended, events } = start(() => 7, { settleVia, ledger: { ...ledger, settle } });
    expect(await ended).toMatchObject({ state: 'sent' });
    await vi.waitUntil(() => unrecorded(events) === 1, 15_000);
    expect(settle).toHaveBeenCalledOnce();
    expect(await stateNow()).toBe('dispatched');
  });
});

test('an outcome that comes too late on that connection is reported as unrecorded', async () => {
  const { ledger, start, fallInDoubt, resolve, attempt } = scene();
  const { settleVia, flush } = connection(ledger);
  flush();
  const { ended, events } = start(
    async () => {
      await fallInDoubt();
      await resolve('not-sent');
      await attempt('next');
    },
    { settleVia },
  );
  expect(await ended).toMatchObject({ state: 'sent' });
  await vi.waitUntil(() => unrecorded(events) === 1, 15_000);
});
