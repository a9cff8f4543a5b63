import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import * as fc from 'fast-check';
import type { Question } from './reference.ts';

/** What is asked of one ledger at once. Attempts are named by their index in the scenario. */
export type Command =
  /** `altered`: under another fingerprint. */
  | {
      readonly verb: 'claim';
      readonly of: number;
      readonly dispatched: boolean;
      readonly altered: boolean;
    }
  | { readonly verb: 'dispatch' | 'release' | 'cancel' | 'read'; readonly of: number }
  | {
      readonly verb: 'settle';
      readonly of: number;
      readonly outcome: Outcome;
      readonly bare: boolean;
      /** Of a doubt: with `lateNotSent`. Of "sent": `undispatched`. */
      readonly late: boolean;
    }
  | { readonly verb: 'resolve'; readonly of: number; readonly verdict: 'sent' | 'not-sent' }
  | { readonly verb: 'heartbeat'; readonly of: readonly number[] }
  | { readonly verb: 'list'; readonly state: 'open' | 'in-doubt' }
  /** An earlier command once more, as a client does that got no reply. */
  | { readonly verb: 'again'; readonly back: number };
type Outcome = 'sent' | 'rejected' | 'skipped' | 'in-doubt';
/** A command that names its attempt itself. */
export type ConcreteCommand = Exclude<Command, { readonly verb: 'again' }>;

/** A command and the connection that it goes by. */
export interface Issued {
  /** Whether it is left in: what a failure does not need is left out when it is shrunk. */
  readonly isIn: boolean;
  readonly command: Command;
  readonly via: number;
  /** Whether its reply is lost, and its caller asks again. */
  readonly lost: boolean;
}

/** Commands that run at the same time, or time that passes. */
export type Step =
  | { readonly together: readonly Issued[] }
  /** So many short leases. */
  | { readonly silence: number };

/** What attempts differ in. */
export interface AttemptTraits {
  readonly shortLease: boolean;
  readonly shortRetention: boolean;
  readonly fingerprint: string | null;
}

export interface Scenario {
  readonly attempts: readonly AttemptTraits[];
  readonly steps: readonly Step[];
}

/** A, B and C are rivals for one email, D has another one for itself. */
export const NAMES = ['A', 'B', 'C', 'D'] as const;
export const KEYS = 2;
export const keyOf = (of: number): number => (of < 3 ? 0 : 1);

// Unequal, so that an attempt often continues what it began.
const of = fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 3);
const verbs = <V extends string>(...names: V[]) => fc.constantFrom(...names);
/** True so many times of so many and one; shrinks to false. */
const often = (times: number) => fc.nat({ max: times }).map((number) => number > 0);
const seldom = fc.nat({ max: 5 }).map((number) => number === 5);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      verb: verbs('claim'),
      of,
      dispatched: fc.boolean(),
      altered: seldom,
    }),
  },
  { weight: 5, arbitrary: fc.record({ verb: verbs('dispatch'), of }) },
  {
    weight: 5,
    arbitrary: fc.record({
      verb: verbs('settle'),
      of,
      outcome: fc.constantFrom('sent', 'rejected', 'skipped', 'in-doubt'),
      bare: fc.boolean(),
      late: seldom,
    }),
  },
  { weight: 3, arbitrary: fc.record({ verb: verbs('release', 'cancel'), of }) },
  {
    weight: 3,
    arbitrary: fc.record({ verb: verbs('resolve'), of, verdict: verbs('sent', 'not-sent') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      verb: verbs('heartbeat'),
      of: fc.uniqueArray(of, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ verb: verbs('again'), back: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ verb: verbs('read'), of }) },
  { weight: 1, arbitrary: fc.record({ verb: verbs('list'), state: verbs('open', 'in-doubt') }) },
);

const via = fc.nat({ max: 5 });
const isIn = often(7);
const alone = fc.record({ isIn, command, via, lost: seldom });
const inCompany = fc.record({ isIn, command, via, lost: fc.constant(false) });

const traits: fc.Arbitrary<AttemptTraits> = fc.record({
  shortLease: fc.boolean(),
  shortRetention: fc.boolean(),
  fingerprint: fc.constantFrom(null, 'to=ada&total=7', 'to=bob&total=7'),
});

/** `atOnce`: with commands that run at the same time. */
export function scenarios({ atOnce }: { readonly atOnce: boolean }): fc.Arbitrary<Scenario> {
  const one = fc.record({ together: fc.tuple(alone) });
  const many = fc.record({ together: fc.array(inCompany, { minLength: 1, maxLength: 4 }) });
  const silence = fc.record({ silence: fc.constantFrom(0, 1.5, 2.5) });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 12, arbitrary: one },
    { weight: atOnce ? 8 : 0, arbitrary: many },
    { weight: 1, arbitrary: silence },
  );
  return fc.record({
    attempts: fc.tuple(traits, traits, traits, traits),
    steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  });
}

/**
 * The time of the attempts: of a short lease or retention, and of one that does not end in a run.
 */
export interface Durations {
  readonly shortMs: number;
  readonly longMs: number;
}

/**
 * The attempts of a scenario with new keys and tokens, so that each run of it begins with nothing.
 */
export function createAttempts({ attempts: allTraits }: Scenario, { shortMs, longMs }: Durations) {
  const keys = Array.from({ length: KEYS }, () => deriveKey(createToken()));
  const attempts = allTraits.map((one, index) => ({
    key: keys[keyOf(index)]!,
    // Printed by its first letter.
    token: NAMES[index]! + createToken().slice(1),
    leaseMs: one.shortLease ? shortMs : longMs,
    retentionMs: one.shortRetention ? shortMs : longMs,
    job: { queue: 'notices', id: `${index}:é` },
    digest: `é${index}`,
    by: `host ${index}\né`,
    ...(one.fingerprint !== null && { fingerprint: one.fingerprint }),
  }));

  /** What a command asks: one question, and many where it is a heartbeat or a list. */
  function questionsOf(command: ConcreteCommand): readonly Question[] {
    if (command.verb === 'list') return keys.map((key) => ({ ...command, key }));
    if (command.verb === 'heartbeat') {
      return command.of.map((index) => ({ verb: 'heartbeat', ...attempts[index]! }));
    }
    const attempt = attempts[command.of]!;
    const { key, retentionMs } = attempt;
    const { of: _place, ...asked } = command;
    switch (asked.verb) {
      case 'claim': {
        const { altered, ...request } = asked;
        return [{ ...attempt, ...request, ...(altered && { fingerprint: 'to=eve&total=7' }) }];
      }
      case 'settle': {
        const { outcome } = asked;
        const note = 'E\\550\nü';
        const result = outcome === 'sent' && { result: '"{\\n é€"' };
        const texts = asked.bare ? {} : { note, ...result, messageId: '<7@shop.example>' };
        const about = {
          sent: { undispatched: true } as const,
          rejected: {},
          skipped: {},
          'in-doubt': { lateNotSent: true } as const,
        };
        const late = asked.late && about[outcome];
        return [{ verb: 'settle', ...attempt, outcome, ...texts, ...late }];
      }
      case 'cancel':
        return [{ verb: 'cancel', key, retentionMs, by: attempt.by }];
      case 'resolve':
        return [{ ...attempt, ...asked, by: RESOLVER }];
      default:
        return [{ ...attempt, ...asked }];
    }
  }
  return { keys, questionsOf };
}

/** The name of the one who resolves a doubt. */
const RESOLVER = 'ada: "asked"\nthe customer';
