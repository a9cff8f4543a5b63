/** The behaviour vectors as types, and what runs them on a ledger. See behaviour.md. */
import type { Attempt, Ledger, LedgerRecord } from '../packages/core/src/index.ts';

export interface BehaviourVector {
  /** A sentence that no other vector has. */
  readonly name: string;
  /** Whether the times must be met to the millisecond: only for a ledger whose clock can be set. */
  readonly exact?: true;
  readonly attempts: Readonly<Record<string, Attempt>>;
  readonly steps: readonly BehaviourStep[];
}

export interface BehaviourStep extends Question {
  /** The reply, of `heartbeat` and `list` a list. */
  readonly reply: unknown;
  /** The record of the attempt's key afterwards, null if there is none. Not for `list`. */
  readonly record?: LedgerRecord | null;
}

/** What a step asks. */
export interface Question {
  /** When, in milliseconds: the first step is at 0. */
  readonly atMs: number;
  /** Whether all senders were silent since the step before: no heartbeat, no session. */
  readonly silence?: true;
  readonly verb: Verb;
  /** The name of the attempt that asks. Not for `list`. */
  readonly attempt?: string;
  /** What the request has beside the fields of the attempt. */
  readonly with?: Readonly<Record<string, unknown>>;
}

export type Verb =
  | 'claim'
  | 'dispatch'
  | 'settle'
  | 'release'
  | 'heartbeat'
  | 'resolve'
  | 'cancel'
  | 'list';

interface Replied {
  readonly reply: unknown;
  readonly record?: LedgerRecord | null;
}

/** Executes one step, and reads the record afterwards. */
export async function executeStep(
  ledger: Ledger,
  attempts: BehaviourVector['attempts'],
  { verb, attempt: name = '', with: more = {} }: Question,
): Promise<Replied> {
  if (verb === 'list') {
    const keys = new Set(Object.values(attempts).map(({ key }) => key));
    const reply: LedgerRecord[] = [];
    for await (const record of ledger.list(more as unknown as Parameters<Ledger['list']>[0])) {
      if (keys.has(record.key)) reply.push(record);
    }
    return { reply };
  }
  const attempt = attempts[name];
  if (!attempt) throw new Error(`The vector has no attempt "${name}".`);
  const reply = await ask(ledger, verb, attempt, more);
  return { reply, record: (await ledger.read(attempt.key)) ?? null };
}

function ask(
  ledger: Ledger,
  verb: Exclude<Verb, 'list'>,
  attempt: Attempt,
  more: object,
): Promise<unknown> {
  const { key, token, retentionMs } = attempt;
  const whole = { ...attempt, ...more };
  switch (verb) {
    case 'claim':
      return ledger.claim(whole);
    case 'dispatch':
      return ledger.dispatch(whole);
    case 'settle':
      return ledger.settle(whole as unknown as Parameters<Ledger['settle']>[0]);
    case 'heartbeat':
      return ledger.heartbeat([whole]);
    case 'release':
      return ledger.release({ key, token });
    case 'resolve': {
      const resolution = { key, token, retentionMs, ...more };
      return ledger.resolve(resolution as Parameters<Ledger['resolve']>[0]);
    }
    case 'cancel':
      return ledger.cancel({ key, retentionMs, ...more });
  }
}
