import { isSendonceError } from '@sendonce/core';
import { expect, it, vi } from 'vitest';
import type { OutcomeState, ProviderError } from '../src/index.ts';
import { recordState } from '../../mail/test/helpers.ts';
import { accepts, isSilent, providers, setUp, trySend } from './helpers.ts';
import { faultNames, type FaultName } from '@sendonce/testkit/providers/provider-faults';
import type { Dialect } from '@sendonce/testkit/providers/provider-server';

const wanted: Record<FaultName, OutcomeState> = {
  'reset-before-reading': 'unknown',
  'reset-in-body': 'unknown',
  'reset-after': 'unknown',
  'bad-request': 'rejected',
  unauthorized: 'refused',
  forbidden: 'refused',
  'not-found': 'refused',
  unprocessable: 'rejected',
  'refusal-cut-off': 'unknown',
  'refusal-not-json': 'unknown',
  'in-progress': 'in-progress',
  conflict: 'conflict',
  'too-many': 'refused',
  'timed-out-at-gateway': 'unknown',
  misdirected: 'refused',
  'error-before': 'unknown',
  'error-after': 'unknown',
  'bad-gateway-after': 'unknown',
  unavailable: 'unknown',
  'unavailable-until': 'refused',
  'cut-off-after': 'unknown',
  'not-json-after': 'unknown',
  'no-id-after': 'unknown',
  'reset-in-answer-after': 'unknown',
  redirect: 'unknown',
  'hang-before': 'unknown',
  'hang-after': 'unknown',
  slow: 'sent',
};

/** Where a provider's documentation says something else. */
const differing: Record<string, Partial<Record<FaultName, OutcomeState>>> = {
  // A 422 is about the key alone.
  AhaSend: { unprocessable: 'conflict' },
  // A 5xx keeps the key.
  Plunk: { 'unavailable-until': 'unknown' },
};

const states = {
  sent: 'sent',
  'sent-already': 'sent',
  rejected: 'rejected',
  refused: 'threw',
  'not-sent': 'threw',
  unknown: 'in-doubt',
  'in-progress': 'in-doubt',
  conflict: 'in-doubt',
} as const;

/** Without the answers that a provider does not document. */
const faultsOf = ({ conflict, inProgress }: Dialect) =>
  faultNames.filter(
    (fault) => (fault !== 'conflict' || conflict) && (fault !== 'in-progress' || inProgress),
  );

// They mostly wait. One list, because vitest runs the cases of different suites one after the
// other.
vi.setConfig({ maxConcurrency: 20 });
const cases = providers.flatMap((provider) =>
  ([6, 10] as const).flatMap((major) =>
    faultsOf(provider.dialect).map((fault) => ({ name: provider.name, provider, major, fault })),
  ),
);

it.concurrent.for(cases)(
  '$name, nodemailer $major, $fault: the verdict, by one POST',
  async ({ provider, major, fault }, test) => {
    const hangs = fault.startsWith('hang');
    const setup = await setUp(test, provider, {
      major,
      ...(hangs && { answerWithinMs: 1500 }),
    });
    const { server } = setup;
    const outcome = differing[provider.name]?.[fault] ?? wanted[fault];

    server.setFault(fault);
    const { job, state, error } = await trySend(setup);
    expect(state).toBe(states[outcome]);
    expect(await recordState(job)).toBe(state === 'threw' ? 'absent' : state);
    expect(server.posts).toBe(1);
    expect(server.accepted).toHaveLength(accepts(fault));

    if (state !== 'sent') {
      const failure = error as ProviderError;
      expect(isSendonceError(failure, 'SENDONCE_PROVIDER')).toBe(true);
      expect(failure).toMatchObject({
        code: 'SENDONCE_PROVIDER',
        provider: provider.name,
        outcome,
      });
      const left = { 'in-doubt': 'maybe', threw: 'no', rejected: 'no' };
      expect(failure.mayHaveLeft).toBe((left as Record<string, string>)[state]);
      expect(String(failure)).not.toMatch(/customer|example|secret|parcel/);
      expect(failure.stack).not.toContain('secret');
      if (['too-many', 'unavailable-until'].includes(fault)) {
        expect(failure.retryAfterMs).toBe(7000);
      }
    }

    // The same email again within the window, by the same key: of two there is never more than
    // one.
    if (setup.transport.windowMs === undefined) return;
    // As its documentation says: the request that hangs is in progress.
    if (fault === 'hang-before' && provider.dialect.inProgress) {
      const { error } = await trySend(setup, { key: job.key });
      expect(error).toMatchObject({ outcome: 'in-progress' });
      return;
    }
    const replay = await trySend(setup, { key: job.key });
    const silent = isSilent(provider, fault);
    expect(replay.state).toBe(silent ? 'in-doubt' : 'sent');
    expect(server.posts).toBe(2);
    expect(server.accepted).toHaveLength(silent ? accepts(fault) : 1);
    const [first, second] = server.requests.slice(-2);
    if (first && second) expect(second.raw).toBe(first.raw);
  },
);
