import type { LedgerRecord } from '@sendonce/core';
import { textsOf } from '../table/record-after.ts';
import {
  type Outcome,
  type Question,
  type Reference,
  ROUNDING_MS,
  type Span,
  type World,
} from './reference.ts';

/** What a ledger answered about one key; `atMs` by the clock of the test. */
export interface Reply {
  readonly status: string;
  readonly record?: LedgerRecord | undefined;
  /** Of a conflict. */
  readonly fields?: readonly string[];
  readonly retryAfterMs?: number;
  readonly dispatchedAgoMs?: number;
  /** In a list: after how many others. */
  readonly place?: number;
}

/** Without a reply it is unknown whether the command was executed. */
export interface Answered {
  readonly question: Question;
  readonly reply?: Reply;
}

/**
 * What may be stored after questions that ran at the same time: for every order that explains all
 * the replies. Empty if no order does: the ledger is not linearizable. Keys are independent of each
 * other, so each is explained alone.
 */
export function explain(
  reference: Reference,
  worlds: readonly World[],
  answers: readonly Answered[],
  during: Span,
): readonly World[] {
  if (answers.length === 0) return worlds;
  const all = answers.flatMap((answer, index) => {
    const others = answers.toSpliced(index, 1);
    return worlds.flatMap((world) =>
      reference
        .aged(world, during)
        .flatMap((aged) =>
          advances(reference, aged, answer, during).flatMap(({ next, left }) =>
            explain(reference, [next], [...others, ...left], during),
          ),
        ),
    );
  });
  return distinct(all);
}

interface Advance {
  readonly next: World;
  /** What its second step has still to explain. */
  readonly left: readonly Answered[];
}

function advances(
  reference: Reference,
  world: World,
  { question, reply }: Answered,
  during: Span,
): readonly Advance[] {
  const skipped = reply ? [] : [{ next: world, left: [] }];
  const second = reference.secondStep(question);
  const first = second ? ({ ...question, dispatched: false } as Question) : question;
  const taken = reference.outcomes(world, first, during).flatMap((one): Advance[] => {
    const { status, next } = one;
    if (second && status === 'won') {
      const granted = reply?.status === 'won' ? { status: 'dispatched' } : reply;
      return [{ next, left: [{ question: second, ...(granted && { reply: granted }) }] }];
    }
    return !reply || isExplained(reply, one, during) ? [{ next, left: [] }] : [];
  });
  return [...taken, ...skipped];
}

/**
 * What binds of the answers that many nodes gave at the same time. What was granted holds. Why
 * something was refused was seen at a moment, on any node: a claim or a cancellation that was
 * undone shortly afterwards. A refused dispatch releases its claim. A heartbeat that reached few
 * nodes counts, and so does a claim that few nodes granted.
 */
export function bindingOf(answers: readonly Answered[]): readonly Answered[] {
  return answers.flatMap((answer): Answered[] => {
    const { question, reply } = answer;
    if (question.verb === 'heartbeat') return [{ question }];
    if (!reply || !isRefusal(question, reply)) return [answer];
    if (question.verb === 'dispatch') return [{ question: { ...question, verb: 'release' } }];
    return question.verb === 'claim' ? [{ question: { ...question, verb: 'heartbeat' } }] : [];
  });
}

const refusals = [
  'busy',
  'duplicate',
  'rejected',
  'in-doubt',
  'conflict',
  'expired',
  'lost',
  'too-late',
  'not-in-doubt',
];

function isRefusal({ verb }: Question, { status }: Reply): boolean {
  if (verb === 'read' || verb === 'list') return true;
  return refusals.includes(status) || (status === 'cancelled' && verb !== 'cancel');
}

/** Whether a list shows them in this order, by the last sign of life or by the doubt. */
export function isSilentForLonger(ones: readonly World[], others: readonly World[]): boolean {
  const isOver = (one: Span, other: Span) => one.toMs + ROUNDING_MS < other.fromMs;
  return ones.every((one) =>
    others.every(
      (other) => one && other && isOver(one.heard, other.heard) && isOver(one.ends, other.ends),
    ),
  );
}

function distinct(worlds: readonly World[]): World[] {
  return [...new Map(worlds.map((world) => [JSON.stringify(world), world])).values()];
}

/** A ledger that asks many nodes lets a loser wait for so long at least. */
const PAUSE_MS = 100;

function isExplained(reply: Reply, { status, shown, fields }: Outcome, during: Span): boolean {
  if (reply.status !== status || !isShown(reply.record, shown)) return false;
  if (JSON.stringify(reply.fields) !== JSON.stringify(fields)) return false;
  if (!shown) return true;
  const { retryAfterMs, dispatchedAgoMs } = reply;
  if (retryAfterMs !== undefined) {
    const longestMs = Math.max(shown.ends.toMs - during.fromMs + ROUNDING_MS, PAUSE_MS);
    const mayBeOver = shown.ends.fromMs <= during.toMs;
    return retryAfterMs <= longestMs && (retryAfterMs > 0 || mayBeOver);
  }
  return (
    dispatchedAgoMs === undefined ||
    isWithin(during.toMs - dispatchedAgoMs, {
      fromMs: shown.at.fromMs,
      toMs: shown.at.toMs + during.toMs - during.fromMs,
    })
  );
}

function isShown(record: LedgerRecord | undefined, world: World): boolean {
  if (!record || !world) return record === world;
  return factsOf(record) === factsOf(world) && isWithin(record.atMs, world.at);
}

/** All of a record but its times. */
function factsOf(of: LedgerRecord | NonNullable<World>): string {
  return JSON.stringify([of.key, of.state, of.token, textsOf(of)]);
}

function isWithin(momentMs: number, { fromMs, toMs }: Span): boolean {
  return fromMs - ROUNDING_MS <= momentMs && momentMs <= toMs + ROUNDING_MS;
}
