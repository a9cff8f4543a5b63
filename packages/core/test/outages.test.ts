import { once as onceEvent } from 'node:events';
import { describe, expect, test } from 'vitest';
import {
  deriveKey,
  type Ledger,
  LedgerUnavailableError,
  memoryLedger,
  perform,
} from '../src/index.ts';
import { createToken, isOutage } from '../src/store/index.ts';

const away = async () => {
  throw new LedgerUnavailableError('The ledger is away.');
};

const setup = (broken: Partial<Ledger>) => {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => void events.push(type);
  return { ledger, key, events, options: { ledger: { ...ledger, ...broken }, key, onEvent } };
};

test('an attempt whose claim is not answered is an outage', async () => {
  const { options, events } = setup({ claim: away });
  const error: unknown = await perform(() => 'never', { ...options, leaseMs: 30 }).catch(
    (caught: unknown) => caught,
  );
  expect(isOutage(error)).toBe(true);
  expect(events).toEqual(['unavailable']);
});

test('so is one whose dispatch is not answered, also in the words of its effect', async () => {
  const { options, events } = setup({ dispatch: away });
  const error: unknown = await perform(
    async (claim) => {
      await claim.dispatch().catch((cause: unknown) => {
        throw new Error('The email could not be sent.', { cause });
      });
    },
    { ...options, dispatch: 'at-send', leaseMs: 30 },
  ).catch((caught: unknown) => caught);
  expect((error as Error).message).toBe('The email could not be sent.');
  expect(isOutage(error)).toBe(true);
  expect(events).toEqual(['claimed', 'released', 'unavailable']);
});

test('the outage of an inner perform() is not one of the outer perform(), whose email was sent', async () => {
  const inner = setup({ claim: away });
  const outer = setup({});
  const error: unknown = await perform(
    async (claim) => {
      await claim.dispatch();
      claim.report({ verdict: 'sent' });
      await perform(() => 'never', { ...inner.options, leaseMs: 30 });
    },
    { ...outer.options, dispatch: 'at-send' },
  ).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(LedgerUnavailableError);
  expect(isOutage(error)).toBe(false);
  expect(outer.events).toEqual(['claimed', 'dispatched', 'sent']);
});

test('an outcome that could not be recorded is recorded when the ledger is back', async () => {
  const ledger = memoryLedger();
  const key = deriveKey(createToken());
  let isAway = true;
  const settle: Ledger['settle'] = async (settlement) =>
    isAway ? away() : ledger.settle(settlement);
  const failed = perform(() => 'sent past the claim', {
    ledger: { ...ledger, settle },
    key,
    dispatch: 'at-send',
    leaseMs: 30,
  });
  await expect(failed).rejects.toMatchObject({ code: 'SENDONCE_NOT_RECORDED' });
  isAway = false;
  await expect
    .poll(() => ledger.read(key), { timeout: 5_000 })
    .toMatchObject({ state: 'in-doubt' });
});

test('a listener whose error cannot be shown does not end the process', async () => {
  const { options } = setup({});
  const hostile = new Error('hostile');
  Object.defineProperty(hostile, 'stack', {
    get() {
      throw new Error('no stack');
    },
  });
  const warned = onceEvent(process, 'warning');
  const onEvent = () => {
    throw hostile;
  };
  expect(await perform(() => 'sent', { ...options, onEvent })).toMatchObject({ state: 'sent' });
  const [warning] = (await warned) as [Error];
  expect(warning.message).toContain('cannot be shown');
});

test('a caller that waits is busy once in the history', async () => {
  const { ledger, key, events, options } = setup({});
  const other = { key, token: createToken(), leaseMs: 60_000, retentionMs: 60_000 };
  await ledger.claim(other);
  setTimeout(() => void ledger.release(other), 400);
  expect(await perform(() => 'sent', { ...options, waitMs: 10_000 })).toMatchObject({
    state: 'sent',
  });
  expect(events).toEqual(['busy', 'claimed', 'dispatched', 'sent']);
});

describe('a verdict "not sent" whose answer is lost may have removed the doubt', () => {
  /** Executes it, and does not answer. */
  const lostResolve = (ledger: Ledger): Ledger => ({
    ...ledger,
    async resolve(resolution) {
      await ledger.resolve(resolution);
      return away();
    },
  });
  const leaseMs = 60;

  test('of its sender: the next attempt is an outage, and not "in doubt"', async () => {
    const { ledger, key, options } = setup({});
    const first = { key, token: createToken(), leaseMs, retentionMs: 60_000 };
    await ledger.settle({ ...first, outcome: 'in-doubt', lateNotSent: true });
    const error: unknown = await perform(() => 'never', {
      ...options,
      ledger: lostResolve(ledger),
      leaseMs,
    }).catch((caught: unknown) => caught);
    expect(isOutage(error)).toBe(true);
    expect(await perform(() => 'sent', options)).toMatchObject({ state: 'sent' });
  });

  test('of a resolver that another attempt asks', async () => {
    const { ledger, key, options } = setup({});
    const first = { key, token: createToken(), leaseMs, retentionMs: 60_000 };
    await ledger.settle({ ...first, outcome: 'in-doubt' });
    const error: unknown = await perform(() => 'never', {
      ...options,
      ledger: lostResolve(ledger),
      leaseMs,
      resolver: async () => 'not-sent' as const,
    }).catch((caught: unknown) => caught);
    expect(isOutage(error)).toBe(true);
  });

  test('of the own doubt: the error of the effect is thrown, so that a retry sends', async () => {
    const { ledger, options } = setup({});
    const reset = new Error('ECONNRESET');
    const failed = perform(() => Promise.reject(reset), {
      ...options,
      ledger: lostResolve(ledger),
      leaseMs,
      resolver: async () => 'not-sent' as const,
    });
    await expect(failed).rejects.toBe(reset);
    expect(await perform(() => 'sent', options)).toMatchObject({ state: 'sent' });
  });
});
