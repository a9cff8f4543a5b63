import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import {
  type Claim,
  deriveKey,
  isSendonceError,
  type Ledger,
  memoryLedger,
  perform,
  type PerformOptions,
} from '../../src/index.ts';
import { createToken, errorCode } from '../../src/store/index.ts';

function setUp(options: Partial<PerformOptions> = {}) {
  let aheadMs = 0;
  const ledger = memoryLedger({ now: () => Date.now() + aheadMs });
  const key = deriveKey(createToken());
  const left: string[] = [];
  const all: PerformOptions = { ledger, key, dispatch: 'at-send', leaseMs: 1_000, ...options };
  return {
    ledger,
    key,
    left,
    advance: (ms: number) => void (aheadMs += ms),
    run: (effect: (claim: Claim) => unknown, changed: Partial<PerformOptions> = {}) =>
      perform(effect, { ...all, ...changed }),
    sendAs: (name: string) => async (claim: Claim) => {
      await claim.dispatch();
      left.push(name);
    },
    record: () => ledger.read(key),
  };
}

const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new Error('trap');
    },
  },
);
const revoked = Proxy.revocable({}, {});
revoked.revoke();

describe('a report', () => {
  test.each([
    ['null', null],
    ['nothing', undefined],
    ['a number', 7],
    ['an object whose getters throw', throwing],
  ])('that is %s counts as unknown, and the attempt ends', async (_, report) => {
    const { run, record } = setUp();
    const ended = run(async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      email.report(report as never);
    });
    expect(await ended).toMatchObject({ state: 'in-doubt' });
    expect((await record())?.state).toBe('in-doubt');
  });

  test('whose texts are numbers, or no texts, is recorded', async () => {
    const { run, record } = setUp();
    await run(async (claim) => {
      const email = claim.begin();
      await email.dispatch();
      const report = { verdict: 'rejected', note: 550, messageId: Symbol('id') };
      email.report(report as never);
    });
    expect(await record()).toMatchObject({ state: 'rejected', note: '550' });
    expect(await record()).not.toHaveProperty('messageId');
  });

  test('before the dispatch forbids the dispatch', async () => {
    const { run, left } = setUp();
    await run(async (claim) => {
      const first = claim.begin();
      first.report({ verdict: 'not-sent' });
      await expect(first.dispatch()).rejects.toMatchObject({ code: 'SENDONCE_SECOND_EMAIL' });
      const second = claim.begin();
      await second.dispatch();
      left.push('second');
      second.report({ verdict: 'sent' });
    });
    expect(left).toEqual(['second']);
  });

  test('while its dispatch is in flight: that dispatch neither sends nor decides over the next email', async () => {
    let answer = () => {};
    const late = new Promise<void>((resolve) => (answer = resolve));
    const { ledger, run, left, record } = setUp();
    let dispatches = 0;
    const slow: Ledger = {
      ...ledger,
      async dispatch(attempt) {
        dispatches += 1;
        if (dispatches > 1) return ledger.dispatch(attempt);
        await late;
        return { state: 'expired' };
      },
    };
    const ended = run(
      async (claim) => {
        const first = claim.begin();
        const refused = expect(first.dispatch()).rejects.toMatchObject({
          code: 'SENDONCE_CLAIM_LOST',
        });
        first.report({ verdict: 'not-sent' });
        const second = claim.begin();
        await second.dispatch();
        left.push('second');
        answer();
        await refused;
        second.report({ verdict: 'sent' });
      },
      { ledger: slow },
    );
    expect(await ended).toMatchObject({ state: 'sent' });
    expect((await record())?.state).toBe('sent');
    expect(left).toEqual(['second']);
  });
});

test('a late "not sent" that cannot be resolved now is not replayed', async () => {
  const { ledger, key, run, sendAs, left } = setUp();
  const attempt = { key, token: createToken(), leaseMs: 1_000, retentionMs: 60_000 };
  await ledger.settle({ ...attempt, outcome: 'in-doubt', lateNotSent: true });
  const deaf: Ledger = {
    ...ledger,
    resolve: async () => ({ state: 'not-in-doubt', record: undefined }),
  };
  const replaying = run(sendAs('replay'), { ledger: deaf, replayWithinMs: 60_000 });
  expect(await replaying).toMatchObject({ state: 'in-doubt' });
  expect(left).toEqual([]);
  expect(await run(sendAs('next'))).toMatchObject({ state: 'sent' });
});

test('a doubt whose ledger does not say how old it is is not replayed', async () => {
  for (const replayWithinMs of [undefined, 60_000]) {
    const { ledger, key, run } = setUp();
    const attempt = { key, token: createToken(), leaseMs: 1_000, retentionMs: 60_000 };
    await ledger.settle({ ...attempt, outcome: 'in-doubt' });
    const vague: Ledger = {
      ...ledger,
      async claim(request) {
        const reply = await ledger.claim(request);
        return reply.state === 'in-doubt' ? { ...reply, dispatchedAgoMs: Number.NaN } : reply;
      },
    };
    const performed = run(() => expect.unreachable('it was replayed'), {
      ledger: vague,
      replayWithinMs,
    });
    expect(await performed).toMatchObject({ state: 'in-doubt' });
  }
});

test('a replay that is refused as its window is over leaves the email listed', async () => {
  const { ledger, key, run, record } = setUp();
  const attempt = { key, token: createToken(), leaseMs: 5_000, retentionMs: 60_000 };
  await ledger.settle({
    ...attempt,
    outcome: 'in-doubt',
    note: 'ETIMEDOUT',
    messageId: '<7@x.example>',
  });
  const slow: Ledger = {
    ...ledger,
    async heartbeat(attempts) {
      const replies = await ledger.heartbeat(attempts);
      await sleep(300);
      return replies;
    },
  };
  const late = run(() => expect.unreachable('it was replayed'), {
    ledger: slow,
    replayWithinMs: 150,
  });
  expect(await late).toMatchObject({ state: 'in-doubt' });
  expect(await record()).toMatchObject({
    state: 'in-doubt',
    note: 'ETIMEDOUT',
    messageId: '<7@x.example>',
  });
});

test('an unknown end is in doubt, not busy, when another attempt has dispatched since', async () => {
  const { ledger, key, run } = setUp();
  const error = new Error('reset');
  const ended = run(async (claim) => {
    await claim.dispatch();
    const silent = { ...ledger };
    const { token } = (await silent.read(key))!;
    await ledger.settle({ key, token, leaseMs: 1, retentionMs: 60_000, outcome: 'in-doubt' });
    await ledger.resolve({ key, token, verdict: 'not-sent', by: 'ada', retentionMs: 60_000 });
    const other = { key, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 };
    await ledger.claim({ ...other, dispatched: true });
    throw error;
  });
  expect(await ended).toMatchObject({ state: 'in-doubt', error });
});

describe('an error that is hostile itself', () => {
  const hostile = [
    ['null', null],
    ['a proxy that throws', throwing],
    ['a revoked proxy', revoked.proxy],
    ['an object without a prototype', Object.create(null) as unknown],
  ] as const;

  test.each(hostile)('%s ends as an ordinary doubt after the dispatch', async (_, thrown) => {
    const { run, record } = setUp({ dispatch: 'before-processor' });
    const ended = run(() => {
      throw thrown;
    });
    expect(await ended).toMatchObject({ state: 'in-doubt' });
    expect((await record())?.state).toBe('in-doubt');
  });

  test.each(hostile)('%s is no sendonce error and has the code "error"', (_, thrown) => {
    expect(isSendonceError(thrown)).toBe(false);
    expect(errorCode(thrown)).toBe('error');
  });

  test.each(hostile)('%s of a listener is a warning, thrown or rejected', async (_, thrown) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (const onEvent of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const { run, sendAs, left } = setUp({ onEvent });
      expect(await run(sendAs('email'))).toMatchObject({ state: 'sent' });
      expect(left).toEqual(['email']);
    }
    await sleep(0);
    expect(warned).toHaveBeenCalled();
    warned.mockRestore();
  });
});

test.each([
  [
    'throws',
    () => {
      throw new Error('closed');
    },
  ],
  ['returns nothing', () => undefined],
  [
    'cannot write',
    () => ({ reply: Promise.reject(new Error('cut')), flushed: Promise.reject(new Error('cut')) }),
  ],
])('a settleVia that %s costs no outcome', async (_, settleVia) => {
  const { run, sendAs, record } = setUp();
  const ended = run(sendAs('email'), { settleVia: settleVia as never });
  expect(await ended).toMatchObject({ state: 'sent' });
  await vi.waitFor(async () => expect((await record())?.state).toBe('sent'), 15_000);
});

test.each([null, 5, 'notices:7', { queue: 'notices' }, { queue: 'notices', id: 7 }])(
  'a job that is %j is refused before anything runs, and is not shown',
  async (job) => {
    const { run } = setUp();
    const ended = run(() => expect.unreachable('it ran'), { job: job as never });
    await expect(ended).rejects.toMatchObject({ code: 'SENDONCE_OPTION', option: 'job' });
    await expect(ended).rejects.not.toThrow('notices');
  },
);
