import type { Ledger, RecordState } from '@sendonce/core';
import { type Evidence, judge, type Verdict } from '../check.ts';
import type { Email } from '../email.ts';
import type { Outcome, Scenario } from './scenarios.ts';

/**
 * What the ledger said when the process had been struck: how far it had come, as others can know.
 */
export type SeenState = RecordState | 'absent' | 'not asked';

export interface Judgement {
  readonly outcome: Verdict | Outcome | 'never ends';
  /** What was found, in a sentence. */
  readonly found: string;
  readonly violation: boolean;
}

interface Asked {
  readonly scenario: Scenario;
  readonly email: Email;
  readonly key: string;
  /** Missing: nothing was struck. */
  readonly seenState: SeenState | undefined;
  /** An attempt said that its lease is over: by the network, or on cores that are too busy. */
  readonly lost: boolean;
}

/** What happened to the email of a case, and whether that is allowed. */
export async function judgeCase(
  asked: Asked,
  evidence: Omit<Evidence, 'emails' | 'history'>,
): Promise<Judgement> {
  const { email, key } = asked;
  const { ledger, deliveries } = evidence;
  const record = await ledger?.read(key);
  if (record?.state === 'cancelled' && deliveries.countOf(email.number) === 0) {
    return {
      outcome: 'cancelled',
      found: 'cancelled, did not leave',
      violation: !may('cancelled'),
    };
  }
  const listed = record?.state === 'in-doubt' && (await isListed(ledger, key)) ? [key] : [];
  const { verdict, found } = await judge(email, evidence, new Set(listed));
  return { outcome: verdict, found, violation: !may(verdict) };

  function may(outcome: Verdict | Outcome): boolean {
    const allowed: readonly (Verdict | Outcome)[] = allowedEnds(asked);
    return ledger ? allowed.includes(outcome) : outcome === 'sent once';
  }
}

/**
 * A blow before the dispatch costs nothing, and neither does one after the settling: the case must
 * then end as if nothing had been struck. Only between the two a doubt may stay; and if a lease was
 * lost, in any attempt.
 */
function allowedEnds({ scenario, seenState, lost }: Asked): readonly Outcome[] {
  const { end, certain, network } = scenario;
  const between: readonly unknown[] = ['dispatched', 'in-doubt', 'not asked'] satisfies SeenState[];
  const mayStay = lost || network || (!certain && between.includes(seenState));
  return mayStay ? ['sent once', end, 'in doubt, listed'] : [end];
}

async function isListed(ledger: Ledger | undefined, key: string): Promise<boolean> {
  for await (const record of ledger?.list({ state: 'in-doubt' }) ?? []) {
    if (record.key === key) return true;
  }
  return false;
}
