import { faultyLedger, type Verb } from '../src/index.ts';
import { describe, expect, test } from 'vitest';
import {
  type Claim,
  deriveKey,
  isSendonceError,
  memoryLedger,
  perform,
  type PerformOptions,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';

const LEASE_MS = 60;
const VERBS: readonly Verb[] = [
  'claim',
  'dispatch',
  'settle',
  'release',
  'heartbeat',
  'read',
  'resolve',
  'cancel',
];
const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

/** How a run of the processor can go. Each counts the emails that really left. */
const effects = {
  'is sent': async (claim: Claim, left: () => void) => {
    await claim.dispatch();
    left();
  },
  'breaks after it left': async (claim: Claim, left: () => void) => {
    await claim.dispatch();
    left();
    throw reset;
  },
  'breaks before its dispatch': async (claim: Claim) => {
    if (claim.mode === 'at-send') throw reset;
    claim.report({ verdict: 'not-sent' });
    throw reset;
  },
  'is refused for now': async (claim: Claim) => {
    await claim.dispatch();
    claim.report({ verdict: 'refused' });
    throw reset;
  },
} as const;

const scenarios = VERBS.flatMap((verb) =>
  (['before', 'after'] as const).flatMap((moment) =>
    [1, Number.POSITIVE_INFINITY].flatMap((times) =>
      (['before-processor', 'at-send'] as const).flatMap((mode) =>
        (Object.keys(effects) as (keyof typeof effects)[]).map((email) => ({
          verb,
          moment,
          times: times === 1 ? 'once' : 'for ever',
          mode,
          email,
        })),
      ),
    ),
  ),
);

describe('a ledger that cannot answer', () => {
  test.concurrent.each(scenarios)(
    '$verb fails $times, $moment it was executed; $mode; the email $email',
    async ({ verb, moment, times, mode, email }) => {
      const sound = memoryLedger();
      const key = deriveKey(createToken());
      const fault = { verb, moment, times: times === 'once' ? 1 : Number.POSITIVE_INFINITY };
      const options: PerformOptions = {
        ledger: faultyLedger(sound, fault),
        key,
        dispatch: mode,
        leaseMs: LEASE_MS,
        resolver: async () => 'unknown',
      };
      let leftCount = 0;
      // The queue runs the job again and again.
      for (let run = 0; run < 3; run++) {
        const before = leftCount;
        const outcome = await perform(
          (claim) => effects[email](claim, () => leftCount++),
          options,
        ).catch((error: unknown) => error);
        expect(leftCount, 'emails that left').toBeLessThanOrEqual(1);
        if (leftCount === 1) expect(await sound.read(key), 'the record of what left').toBeDefined();
        if (leftCount > before && isSendonceError(outcome)) {
          expect(outcome.mayHaveLeft, `${outcome.name} about an email that left`).not.toBe('no');
        }
      }
    },
  );
});

describe('perform() on a ledger that cannot answer', () => {
  const setup = (verb: Verb, moment: 'before' | 'after', dispatch: PerformOptions['dispatch']) => {
    const sound = memoryLedger();
    const key = deriveKey(createToken());
    const ledger = faultyLedger(sound, { verb, moment });
    const options: PerformOptions = {
      ledger,
      key,
      leaseMs: LEASE_MS,
      ...(dispatch && { dispatch }),
    };
    return { options, stateNow: async () => (await sound.read(key))?.state };
  };

  test.each(['before', 'after'] as const)(
    'a claim that fails %s it was executed: nothing was sent, and the claim is released',
    async (moment) => {
      const { options, stateNow } = setup('claim', moment, 'before-processor');
      await expect(perform(() => expect.unreachable(), options)).rejects.toMatchObject({
        code: 'SENDONCE_LEDGER_UNAVAILABLE',
        mayHaveLeft: 'no',
      });
      expect(await stateNow()).toBeUndefined();
    },
  );

  test.each(['before', 'after'] as const)(
    'a dispatch that fails %s it was executed: nothing was sent, and the claim is released',
    async (moment) => {
      const { options, stateNow } = setup('dispatch', moment, 'at-send');
      await expect(perform((claim) => claim.dispatch(), options)).rejects.toMatchObject({
        code: 'SENDONCE_LEDGER_UNAVAILABLE',
      });
      expect(await stateNow()).toBeUndefined();
    },
  );

  test('an outcome that cannot be recorded is not recorded, and says whether the email left', async () => {
    const { options, stateNow } = setup('settle', 'before', 'before-processor');
    await expect(perform(() => 7, options)).rejects.toMatchObject({
      code: 'SENDONCE_NOT_RECORDED',
      mayHaveLeft: 'yes',
    });
    expect(['dispatched', 'in-doubt']).toContain(await stateNow());

    const unknown = setup('settle', 'before', 'before-processor');
    await expect(perform(() => Promise.reject(reset), unknown.options)).rejects.toMatchObject({
      code: 'SENDONCE_NOT_RECORDED',
      mayHaveLeft: 'maybe',
    });
  });

  test('a claim that cannot be released falls in doubt, and the error of the effect is rethrown', async () => {
    const { options, stateNow } = setup('release', 'before', 'before-processor');
    const run = perform((claim) => {
      claim.report({ verdict: 'not-sent' });
      throw reset;
    }, options);
    await expect(run).rejects.toBe(reset);
    expect(['dispatched', 'in-doubt']).toContain(await stateNow());
  });

  test('one lost reply at the outcome is made good by asking again', async () => {
    const sound = memoryLedger();
    const key = deriveKey(createToken());
    const ledger = faultyLedger(sound, { verb: 'settle', moment: 'after', times: 1 });
    expect(await perform(() => 7, { ledger, key })).toEqual({ state: 'sent', value: 7 });
    expect((await sound.read(key))?.result).toBe('7');
  });
});
