import { deriveKey, memoryLedger, type PerformOptions } from '@sendonce/core';
import { expect, it, vi } from 'vitest';
import { attempt, email, type Ended, recordState } from '../../mail/test/helpers.ts';
import { accepts, isSilent, type ProviderCase, providers, type Setup, setUp } from './helpers.ts';
import { faultNames } from '@sendonce/testkit/providers/provider-faults';

/** What happens to a doubt. */
const policies = {
  hold: () => ({}),
  'replay-in-window': ({ transport }: Setup) => ({
    replayWithinMs: transport.windowMs ?? 0,
  }),
  // A provider's log may be late: what it does not show is not known.
  'look-up': ({ server }: Setup) => ({
    resolver: async () => (server.accepted.length > 0 ? ('sent' as const) : ('unknown' as const)),
  }),
  // At least once, set on purpose.
  resend: () => ({ resolver: async () => 'not-sent' as const }),
} satisfies Record<string, (setup: Setup) => Partial<PerformOptions>>;
type Policy = keyof typeof policies;

const names = Object.keys(policies) as Policy[];
let keys = 0;

/** A queue that comes back until nothing changes any more. */
async function workOff(
  { transporter }: Setup,
  job: Parameters<typeof attempt>[0],
  options: object,
) {
  let ended: Ended | undefined;
  for (let tried = 0; tried < 4; tried += 1) {
    ended = await attempt(job, () => transporter.sendMail(email()), options);
    if (ended.state === 'sent' || ended.state === 'duplicate' || ended.state === 'rejected') break;
  }
  return ended;
}

const isKeyed = async (test: Parameters<typeof setUp>[0], provider: ProviderCase) =>
  (await setUp(test, provider)).transport.windowMs !== undefined;

// They mostly wait. One list, because vitest runs the cases of different suites one after the
// other.
vi.setConfig({ maxConcurrency: 20 });
const cases = providers.flatMap((provider) =>
  names.flatMap((policy) =>
    faultNames.map((fault) => ({ name: provider.name, provider, policy, fault })),
  ),
);

it.concurrent.for(cases)(
  '$name, $policy, $fault: one email, a rejection, or a doubt that is listed',
  async ({ provider, policy, fault }, test) => {
    const keyed = await isKeyed(test, provider);
    if (policy === 'replay-in-window' && !keyed) return test.skip();
    const hangs = fault.startsWith('hang') && { answerWithinMs: 1500 };
    const setup = await setUp(test, provider, { ...hangs });
    const { server } = setup;
    const job = { ledger: memoryLedger(), key: deriveKey(['policy', keys++]) };
    server.setFault(fault);
    const ended = await workOff(setup, job, policies[policy](setup));

    const accepted = server.accepted.length;
    const state = await recordState(job);
    const listed: string[] = [];
    for await (const record of job.ledger.list({ state: 'in-doubt' })) listed.push(record.key);
    const silent = isSilent(provider, fault);
    if (state === 'in-doubt') {
      expect(listed).toEqual([job.key]);
      expect(accepted).toBeLessThanOrEqual(1);
      // The outcome is unknown, and this policy does not guess.
      expect(['hold', 'look-up', 'replay-in-window']).toContain(policy);
    } else if (state === 'absent') {
      // The doubt is ignored, and the provider says no more than "used" or "in progress":
      // the attempts are used up, and the job fails.
      expect([policy, ended?.state]).toEqual(['resend', 'threw']);
      expect(silent || fault === 'hang-before').toBe(true);
      expect(accepted).toBe(silent ? accepts(fault) : 0);
    } else if (state === 'rejected') {
      expect(accepted).toBe(0);
    } else {
      expect(state).toBe('sent');
      expect(ended?.state).toMatch(/^(sent|duplicate)$/);
      const twice = policy === 'resend' && !keyed && fault.endsWith('-after');
      expect(accepted).toBe(twice ? 2 : 1);
    }
    // What the provider remembers needs no person, but for a request that is for ever in
    // progress.
    if (policy === 'replay-in-window' && fault !== 'hang-before' && !silent) {
      expect(state).not.toBe('in-doubt');
    }
  },
);
