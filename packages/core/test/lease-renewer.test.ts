import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nowMs } from '../src/clock.ts';
import { startRenewing } from '../src/lease-renewer.ts';
import { type Attempt, deriveKey, type Ledger, memoryLedger } from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

const LEASE_MS = 3_000;

const attemptOf = (leaseMs = LEASE_MS): Attempt => ({
  key: deriveKey(createToken()),
  token: createToken(),
  leaseMs,
  retentionMs: 60_000,
});

/** A ledger that counts its heartbeats. */
function counted(heartbeat?: Ledger['heartbeat']) {
  const sound = memoryLedger();
  const beats: (readonly Attempt[])[] = [];
  const ledger: Ledger = {
    ...sound,
    heartbeat(attempts) {
      beats.push(attempts);
      return heartbeat ? heartbeat(attempts) : sound.heartbeat(attempts);
    },
  };
  return { ledger, beats };
}

describe('the heartbeat', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('renews 50 claims by one command every third of the lease', async () => {
    const { ledger, beats } = counted();
    const attempts = Array.from({ length: 50 }, () => attemptOf());
    const kept = [];
    for (const attempt of attempts) {
      await ledger.claim(attempt);
      kept.push(startRenewing(ledger, attempt, () => expect.unreachable('lost')));
    }
    await vi.advanceTimersByTimeAsync(4 * LEASE_MS);
    expect(beats).toHaveLength(12);
    expect(beats.every((beat) => beat.length === 50)).toBe(true);
    for (const { key } of attempts) expect((await ledger.read(key))?.state).toBe('claimed');
    for (const one of kept) one.stop();
  });

  test('ends with the last claim, and begins again with the next one', async () => {
    const { ledger, beats } = counted();
    const first = attemptOf();
    await ledger.claim(first);
    const kept = startRenewing(ledger, first, () => {});
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    kept.stop();
    const beatsSoFar = beats.length;
    await vi.advanceTimersByTimeAsync(5 * LEASE_MS);
    expect(beats).toHaveLength(beatsSoFar);
    expect(vi.getTimerCount()).toBe(0);

    const second = attemptOf();
    await ledger.claim(second);
    const again = startRenewing(ledger, second, () => expect.unreachable('lost'));
    await vi.advanceTimersByTimeAsync(3 * LEASE_MS);
    expect(beats.length).toBeGreaterThan(beatsSoFar);
    again.stop();
  });

  test('beats for the shortest of the leases', async () => {
    const { ledger } = counted();
    const long = attemptOf(60_000);
    const short = attemptOf(600);
    await ledger.claim(long);
    const one = startRenewing(ledger, long, () => expect.unreachable('lost'));
    await vi.advanceTimersByTimeAsync(1_000);
    await ledger.claim(short);
    const other = startRenewing(ledger, short, () => expect.unreachable('lost'));
    await vi.advanceTimersByTimeAsync(6_000);
    expect((await ledger.read(short.key))?.state).toBe('claimed');
    one.stop();
    other.stop();
  });

  test('is not put off by new claims, however fast they come', async () => {
    const { ledger, beats } = counted();
    const first = attemptOf();
    await ledger.claim(first);
    const kept = [startRenewing(ledger, first, () => expect.unreachable('lost'))];
    for (let pastMs = 0; pastMs < 2 * LEASE_MS; pastMs += 100) {
      await vi.advanceTimersByTimeAsync(100);
      const next = attemptOf();
      await ledger.claim(next);
      kept.push(startRenewing(ledger, next, () => expect.unreachable('lost')));
    }
    expect(beats).toHaveLength(6);
    expect((await ledger.read(first.key))?.state).toBe('claimed');
    for (const one of kept) one.stop();
  });

  test('tells of a lost claim with the answer that says so, and not a lease later', async () => {
    const { ledger } = counted();
    const lost = attemptOf();
    await ledger.claim(lost);
    const onLost = vi.fn();
    const kept = startRenewing(ledger, lost, onLost);
    await ledger.cancel(lost);
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(onLost).toHaveBeenCalledOnce();
    kept.stop();
  });

  test('does not forget that a claim was silent for a lease when it is confirmed again', async () => {
    let isAway = true;
    const { ledger } = counted(async (attempts) => {
      if (isAway) throw new Error('down');
      return attempts.map(() => 'kept');
    });
    const kept = startRenewing(ledger, attemptOf(), () => {});
    expect(kept.wasSilent()).toBe(false);
    await vi.advanceTimersByTimeAsync(1.5 * LEASE_MS);
    isAway = false;
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(kept.isOverdue()).toBe(false);
    expect(kept.wasSilent()).toBe(true);
    kept.stop();
  });

  test('tells once, and only the claim that is lost', async () => {
    const { ledger } = counted();
    const [lost, kept] = [attemptOf(), attemptOf()];
    await ledger.claim(lost);
    await ledger.claim(kept);
    const onLost = vi.fn();
    const one = startRenewing(ledger, lost, onLost);
    const other = startRenewing(ledger, kept, () => expect.unreachable('lost'));
    await ledger.cancel(lost);
    await vi.advanceTimersByTimeAsync(4 * LEASE_MS);
    expect(onLost).toHaveBeenCalledOnce();
    one.stop();
    other.stop();
  });

  test('tells that a claim may be lost when the ledger failed for a whole lease, not before', async () => {
    const { ledger } = counted(() => Promise.reject(new Error('down')));
    const onLost = vi.fn();
    const kept = startRenewing(ledger, attemptOf(), onLost);
    await vi.advanceTimersByTimeAsync(LEASE_MS - 10);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    expect(onLost).toHaveBeenCalledOnce();
    kept.stop();
  });

  test('tells that a claim may be lost when the ledger hangs for a whole lease', async () => {
    const { ledger, beats } = counted(() => new Promise(() => {}));
    const onLost = vi.fn();
    const kept = startRenewing(ledger, attemptOf(), onLost);
    await vi.advanceTimersByTimeAsync(LEASE_MS - 10);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    expect(beats.length).toBeGreaterThan(1);
    expect(onLost).toHaveBeenCalledOnce();
    kept.stop();
  });

  test('survives an answer that fails once', async () => {
    let failed = false;
    const { ledger } = counted(async (attempts) => {
      if (failed) return attempts.map(() => 'kept');
      failed = true;
      throw new Error('down');
    });
    const kept = startRenewing(ledger, attemptOf(), () => expect.unreachable('lost'));
    await vi.advanceTimersByTimeAsync(3 * LEASE_MS);
    kept.stop();
  });

  test('counts the confirmation from when the question left, not from when the answer came', async () => {
    const { ledger } = counted(async (attempts) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return attempts.map(() => 'kept');
    });
    const startMs = nowMs();
    const kept = startRenewing(ledger, attemptOf(), () => {});
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3 + 400);
    expect(Math.round(kept.confirmedAtMs - startMs)).toBe(LEASE_MS / 3);
    kept.stop();
  });
});

test('the timers of the heartbeat do not keep the process alive', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { ledger } = counted();
  const kept = startRenewing(ledger, attemptOf(), () => {});
  expect(timers()).toBe(before);
  kept.stop();
});

test('a ledger that reports a loss ends the attempts that it names at once', () => {
  let tell: (tokens: readonly string[]) => void = () => {};
  const ledger: Ledger = { ...memoryLedger(), onLost: (listener) => void (tell = listener) };
  const [lost, kept] = [attemptOf(), attemptOf()];
  const heard: string[] = [];
  const held = [lost, kept].map((attempt) =>
    startRenewing(ledger, attempt, () => heard.push(attempt.token)),
  );
  tell([lost.token, 'somebody else']);
  tell([lost.token]);
  expect(heard).toEqual([lost.token]);
  for (const claim of held) claim.stop();
});
