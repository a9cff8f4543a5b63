import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attempt, type ClaimRequest, deriveKey, memoryLedger } from '../src/index.ts';
import { createToken } from '../src/store/index.ts';

const LEASE_MS = 100;
const ATTEMPTS = 5;

/**
 * One step of one attempt, in any order: an attempt that is never named again has crashed, one that
 * is named much later was paused.
 */
type Step =
  | {
      readonly kind: 'next' | 'beat' | 'release' | 'doubt' | 'sent' | 'not-sent';
      readonly of: number;
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'replay'; readonly back: number }
  | { readonly kind: 'cancel' };

const of = fc.nat({ max: ATTEMPTS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('next' as const), of }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('beat', 'release', 'doubt', 'sent', 'not-sent'),
      of,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 250 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('replay' as const), back: fc.nat({ max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' as const }) },
);

test('attempts that crash, sleep or repeat commands: one dispatch, unless it was released', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: ATTEMPTS, maxLength: ATTEMPTS }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (modes, steps) => {
        const world = simulation(modes);
        for (const one of steps) await world.run(one);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('the simulation reaches dispatches, takeovers after a crash, doubts and verdicts', async () => {
  const world = simulation([false, false, true]);
  await world.run({ kind: 'next', of: 0 });
  await world.run({ kind: 'pass', ms: LEASE_MS });
  await world.run({ kind: 'next', of: 1 });
  await world.run({ kind: 'next', of: 1 });
  expect(await world.run({ kind: 'next', of: 0 })).toBe('busy');
  await world.run({ kind: 'pass', ms: 2 * LEASE_MS });
  expect(await world.run({ kind: 'next', of: 2 })).toBe('in-doubt');
  expect(await world.run({ kind: 'not-sent', of: 1 })).toBe('resolved');
  expect(await world.run({ kind: 'next', of: 2 })).toBe('won');
  expect(await world.run({ kind: 'sent', of: 2 })).toBe('not-in-doubt');
});

function simulation(modes: readonly boolean[]) {
  let nowMs = 1_700_000_000_000;
  const ledger = memoryLedger({ now: () => nowMs });
  const key = deriveKey(createToken());
  const attempts = modes.map((dispatched): ClaimRequest => {
    return { key, token: createToken(), leaseMs: LEASE_MS, retentionMs: 1e12, dispatched };
  });
  const phases = modes.map((): 'new' | 'claimed' | 'dispatched' => 'new');
  const sentVerbs: (() => Promise<string>)[] = [];
  /** The attempt that may have sent the email: granted a dispatch that was not released. */
  let granted: string | undefined;

  function grant(token: string): void {
    expect(granted ?? token, 'a second attempt was told "dispatched"').toBe(token);
    granted = token;
  }

  /** Every verb goes through here, so that it can be replayed later by a client that resends. */
  async function issue(verb: () => Promise<string>): Promise<string> {
    sentVerbs.push(verb);
    return verb();
  }

  async function claim(request: ClaimRequest): Promise<string> {
    const { state } = await ledger.claim(request);
    if (state === 'won' && request.dispatched) grant(request.token);
    return state;
  }

  async function dispatch(attempt: Attempt): Promise<string> {
    const { state } = await ledger.dispatch(attempt);
    if (state === 'dispatched') grant(attempt.token);
    return state;
  }

  async function release(attempt: Attempt): Promise<string> {
    const { state } = await ledger.release(attempt);
    if (state === 'released' && granted === attempt.token) granted = undefined;
    return state;
  }

  async function resolve(attempt: Attempt, verdict: 'sent' | 'not-sent'): Promise<string> {
    const { state } = await ledger.resolve({ ...attempt, verdict, by: 'a person' });
    const givenBack = state === 'resolved' && verdict === 'not-sent' && granted === attempt.token;
    if (givenBack) granted = undefined;
    return state;
  }

  async function settle(attempt: Attempt, outcome: 'sent' | 'in-doubt'): Promise<string> {
    return (await ledger.settle({ ...attempt, outcome })).state;
  }

  async function next(index: number, attempt: ClaimRequest): Promise<string> {
    switch (phases[index] ?? 'new') {
      case 'claimed': {
        const state = await issue(() => dispatch(attempt));
        if (state === 'dispatched') phases[index] = 'dispatched';
        return state;
      }
      case 'dispatched':
        return issue(() => settle(attempt, 'sent'));
      case 'new': {
        const state = await issue(() => claim(attempt));
        if (state === 'won') phases[index] = attempt.dispatched ? 'dispatched' : 'claimed';
        return state;
      }
    }
  }

  async function runStep(one: Step): Promise<string> {
    if (one.kind === 'pass') {
      nowMs += one.ms;
      return 'passed';
    }
    if (one.kind === 'replay') return (await sentVerbs.at(-1 - one.back)?.()) ?? 'nothing';
    if (one.kind === 'cancel') {
      return issue(async () => (await ledger.cancel({ key, retentionMs: 1e12 })).state);
    }
    const attempt = attempts[one.of];
    if (!attempt) return 'nothing';
    switch (one.kind) {
      case 'next':
        return next(one.of, attempt);
      case 'beat':
        return issue(async () => (await ledger.heartbeat([attempt]))[0] ?? 'nothing');
      case 'release':
        return phases[one.of] === 'new' ? 'nothing' : issue(() => release(attempt));
      case 'doubt':
        return phases[one.of] === 'dispatched'
          ? issue(() => settle(attempt, 'in-doubt'))
          : 'nothing';
      case 'sent':
      case 'not-sent': {
        const { kind } = one;
        return issue(() => resolve(attempt, kind));
      }
    }
  }

  return {
    async run(one: Step): Promise<string> {
      const reply = await runStep(one);
      if (granted !== undefined) {
        expect(await ledger.read(key), 'an email that may have left was forgotten').toBeDefined();
      }
      return reply;
    },
  };
}
