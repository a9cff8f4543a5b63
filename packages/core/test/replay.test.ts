import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  type Claim,
  deriveKey,
  type Ledger,
  currentClaim,
  memoryLedger,
  NotSentError,
  perform,
  type PerformOptions,
} from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

// Long: a replay is also bounded by real time, which passes on a busy machine.
const WINDOW_MS = 20_000;
const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

/** A provider that remembers the keys of a claim for a window, and one email under them. */
function scene(options: Partial<PerformOptions> = {}) {
  let clockMs = Date.now();
  const ledger = memoryLedger({ now: () => clockMs });
  const key = deriveKey(createToken());
  const accepted: string[] = [];
  const posts: string[] = [];
  const events: string[] = [];
  let rememberedUntilMs = 0;
  /** What breaks, one post after the other. */
  const breaks: ('before' | 'after' | undefined)[] = [];

  async function send(claim: Claim): Promise<string> {
    await claim.dispatch();
    const broken = breaks.shift();
    if (broken === 'before') throw reset;
    posts.push(claim.token);
    if (clockMs >= rememberedUntilMs) {
      accepted.push(claim.key);
      rememberedUntilMs = clockMs + WINDOW_MS;
    }
    if (broken === 'after') throw reset;
    return 'id-1';
  }
  const all: PerformOptions = {
    ledger,
    key,
    leaseMs: 100,
    retentionMs: 60_000,
    replayWithinMs: WINDOW_MS,
    onEvent: ({ type }) => events.push(type),
    ...options,
  };
  return {
    ledger,
    key,
    accepted,
    posts,
    events,
    breaks,
    advance: (ms: number) => void (clockMs += ms),
    run: () => perform(() => send(currentClaim()!), all),
    perform: (effect: (claim: Claim) => unknown) => perform(effect, all),
    state: async () => (await ledger.read(key))?.state,
  };
}

describe.each(['before-processor', 'at-send'] as const)('%s', (dispatch) => {
  test.each(['before', 'after'] as const)(
    'broken %s the provider took it: the next attempt replays it, and there is one email',
    async (broken) => {
      const { run, breaks, accepted, state, events, ledger, key } = scene({ dispatch });
      breaks.push(broken);
      const first = await run();
      expect(first).toMatchObject({ state: 'in-doubt', error: reset });
      expect((first as { replayForMs: number }).replayForMs).toBeGreaterThan(0);
      const doubt = await ledger.read(key);
      expect(await run()).toEqual({ state: 'sent', value: 'id-1' });
      expect(accepted).toHaveLength(1);
      expect(await state()).toBe('sent');
      expect((await ledger.read(key))?.token).toBe(doubt?.token);
      expect(events.filter((type) => type === 'replayed')).toHaveLength(1);
      expect(await run()).toMatchObject({ state: 'duplicate', value: 'id-1' });
    },
  );

  test('its sender died after the dispatch: silent for two leases, then replayed', async () => {
    const { run, ledger, key, advance, accepted } = scene({ dispatch });
    const dead = { key, token: createToken(), leaseMs: 100, retentionMs: 60_000 };
    await ledger.claim({ ...dead, dispatched: true });
    expect(await run()).toMatchObject({ state: 'busy' });
    advance(WINDOW_MS / 4);
    expect(await run()).toMatchObject({ state: 'sent' });
    expect(accepted).toHaveLength(1);
  });

  test('after the window a doubt is held, with any answer of the provider', async () => {
    const { run, breaks, advance, accepted, state } = scene({ dispatch });
    breaks.push('after');
    await run();
    advance(WINDOW_MS);
    for (let round = 0; round < 3; round += 1) {
      const held = await run();
      expect(held).toMatchObject({ state: 'in-doubt' });
      expect(held).not.toHaveProperty('replayForMs');
    }
    expect(accepted).toHaveLength(1);
    expect(await state()).toBe('in-doubt');
  });

  test('replays that fail do not begin the window anew', async () => {
    const { run, breaks, advance, accepted, posts } = scene({ dispatch });
    breaks.push('after', 'after', 'after', 'after');
    await run();
    for (let round = 0; round < 6; round += 1) {
      advance(0.3 * WINDOW_MS);
      await run();
    }
    // At 0, 0.3, 0.6 and 0.9 of the window; not at 1.2.
    expect(posts).toHaveLength(4);
    expect(accepted).toHaveLength(1);
  });
});

test('a replay that was not sent, or rejected, says nothing about the first: still in doubt', async () => {
  for (const verdict of ['not-sent', 'refused', 'rejected'] as const) {
    const { run, breaks, state, perform: again } = scene();
    breaks.push('after');
    await run();
    const performed = await again((claim) => {
      claim.report({ verdict, error: reset });
      throw reset;
    });
    expect(performed).toMatchObject({ state: 'in-doubt' });
    expect(await state()).toBe('in-doubt');
    expect(await again(() => Promise.reject(new NotSentError('no')))).toMatchObject({
      state: 'in-doubt',
    });
  }
});

test('the window ends while the effect still prepares: its dispatch is refused', async () => {
  const { run, breaks, state, perform: again, accepted } = scene({ replayWithinMs: 150 });
  breaks.push('after');
  await run();
  let dispatched = false;
  const performed = await again(async (claim) => {
    await new Promise((resolve) => setTimeout(resolve, 250));
    await claim.dispatch();
    dispatched = true;
  });
  expect(dispatched).toBe(false);
  expect(performed).toMatchObject({ state: 'in-doubt', error: { code: 'SENDONCE_CLAIM_LOST' } });
  expect(await state()).toBe('in-doubt');
  expect(accepted).toHaveLength(1);
});

test('resolved by a person between the look and the replay: nothing is performed', async () => {
  const sound = memoryLedger();
  const resolving = {
    ...sound,
    async heartbeat(attempts: Parameters<typeof sound.heartbeat>[0]) {
      const [{ key, token, retentionMs } = expect.unreachable()] = attempts;
      await sound.resolve({ key, token, retentionMs, verdict: 'sent', by: 'a person' });
      return sound.heartbeat(attempts);
    },
  };
  const { run, breaks, posts, state: _ } = scene({ ledger: resolving });
  breaks.push('after');
  await run();
  expect(await run()).toMatchObject({ state: 'busy', retryAfterMs: 0 });
  expect(posts).toHaveLength(1);
  expect(await run()).toMatchObject({ state: 'duplicate' });
});

test('eight attempts find the same doubt: one email, and it is sent', async () => {
  const { run, breaks, accepted, state } = scene();
  breaks.push('after');
  await run();
  const states = await Promise.all(Array.from({ length: 8 }, run));
  expect(accepted).toHaveLength(1);
  expect(await state()).toBe('sent');
  expect(states.map((one) => one.state)).toContain('sent');
});

test('without a window an email in doubt is never performed again', async () => {
  const { run, breaks, posts } = scene({ replayWithinMs: undefined as never });
  breaks.push('after');
  await run();
  expect(await run()).toMatchObject({ state: 'in-doubt' });
  expect(posts).toHaveLength(1);
});

test('a window of zero is refused', async () => {
  await expect(scene({ replayWithinMs: 0 }).run()).rejects.toMatchObject({
    code: 'SENDONCE_OPTION',
    option: 'replayWithinMs',
  });
});

test('a replay whose ledger answers only when the window is over does not run the processor', async () => {
  const { ledger, key, run, breaks, accepted } = scene();
  breaks.push('after');
  await run();
  const slow: Ledger = {
    ...ledger,
    async heartbeat(attempts) {
      const replies = await ledger.heartbeat(attempts);
      await sleep(400);
      return replies;
    },
  };
  const effect = () => expect.unreachable('the processor ran');
  const late = perform(effect, { ledger: slow, key, leaseMs: 5_000, replayWithinMs: 200 });
  expect(await late).toMatchObject({ state: 'in-doubt' });
  expect(accepted).toHaveLength(1);
});
