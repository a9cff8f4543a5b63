import type { Attempt } from '@sendonce/core';
import { differingFields } from '@sendonce/core/ledger';
import {
  callerOf,
  type Facts,
  type Operation,
  recordAfter,
  stepOf,
} from '../table/record-after.ts';
import { meet, transitionFor } from '../table/transition-table.ts';

/**
 * The transition table for one key, with times: what a verb may answer, and what may be stored
 * afterwards. It knows a moment only as a span, the time that the command took. What falls into
 * that span may have ended or not.
 */

/** One question about one key. A heartbeat of many and a list are as many questions. */
export type Question =
  | Operation
  | { readonly verb: 'read'; readonly key: string }
  | { readonly verb: 'list'; readonly key: string; readonly state: 'open' | 'in-doubt' };

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Times {
  readonly at: Span;
  /** Since when its sender has been silent. */
  readonly heard: Span;
  /** When the lease, the mark or the retention ends; of a doubt, since when it is one. */
  readonly ends: Span;
}

/** A record whose times are spans. */
export type StoredRecord = Facts & Times;

/** What is stored under a key, or nothing. */
export type World = StoredRecord | undefined;

/** An answer that the contract allows, and what is stored afterwards. */
export interface Outcome {
  readonly status: string;
  /** The record in the answer, where it has one. */
  readonly shown?: World;
  /** Of a conflict. */
  readonly fields?: readonly string[] | undefined;
  readonly next: World;
}

export interface Rules {
  /** Leases and marks do not end by time but with the session that holds them. */
  readonly bySession: boolean;
  /** A claim that dispatches is a claim and then a dispatch, and each node has its own times. */
  readonly byMajority: boolean;
}

export interface Reference {
  /** The dispatch of a claim that takes two steps. */
  secondStep(question: Question): Question | undefined;
  /** The outcomes that the contract allows. */
  outcomes(world: World, question: Question, during: Span): readonly Outcome[];
  /** What time alone may have made of it. */
  aged(world: World, during: Span): readonly World[];
  /** What is stored when its sender is dead. */
  orphaned(world: World, during: Span): World;
}

/** Servers count in whole milliseconds, each by its own rounding. */
export const ROUNDING_MS = 2;
const NEVER: Span = { fromMs: Infinity, toMs: Infinity };

export function createReference({ bySession, byMajority }: Rules): Reference {
  return {
    outcomes(world, question, during) {
      if (question.verb === 'read') {
        return [{ status: world?.state ?? 'absent', shown: world, next: world }];
      }
      if (question.verb === 'list') {
        const isListed = question.state === 'open' ? isOpen(world) : world?.state === 'in-doubt';
        const answer = isListed ? { status: 'listed', shown: world } : { status: 'not listed' };
        return [{ ...answer, next: world }];
      }
      return execute(question, world, during);
    },
    secondStep(question) {
      const isTwo = byMajority && question.verb === 'claim' && question.dispatched;
      return isTwo ? { ...question, verb: 'dispatch' } : undefined;
    },
    aged(world, during) {
      if (!world || world.state === 'in-doubt' || world.ends.fromMs > during.toMs) return [world];
      const next =
        world.state === 'dispatched' ? ({ ...world, state: 'in-doubt' } as const) : undefined;
      return world.ends.toMs <= during.fromMs ? [next] : [world, next];
    },
    orphaned(world, during) {
      if (world?.state === 'claimed') return undefined;
      return world?.state === 'dispatched' ? { ...world, state: 'in-doubt', ends: during } : world;
    },
  };

  function execute(operation: Operation, world: World, during: Span): readonly Outcome[] {
    const { row, reply: status } = transitionFor(
      stepOf(operation),
      meet(world, callerOf(operation)),
    );
    const record = recordAfter(row, world, operation);
    const next = record && { ...record, ...timesOf(record, { world, operation, during }) };
    if (row.to !== '=' || row.renews) {
      if (operation.verb !== 'cancel' || world?.state !== 'cancelled') return [{ status, next }];
      // It has no token: whether a second one is a repeat, or names its caller anew, is open.
      return [next, next && { ...world, ends: next.ends }].map((one) => ({ status, next: one }));
    }
    if (operation.verb === 'resolve' && status === 'resolved') {
      // Whether a repeated verdict lets the retention start anew is open.
      return [world, next].map((one) => ({ status, next: one }));
    }
    return [{ status, ...shownBy(operation, status, world), next: world }];
  }

  /** The times of what an operation has written over `world`. */
  function timesOf(record: Facts, { world, operation, during }: Execution): Times {
    const { leaseMs = 0, retentionMs = 0 }: Partial<Attempt> = operation;
    switch (record.state) {
      case 'claimed': {
        const at = operation.verb === 'heartbeat' && world ? world.at : during;
        return { at, heard: during, ends: endOfLease(leaseMs, during) };
      }
      case 'dispatched':
      case 'in-doubt': {
        const isSameDispatch = isOpen(world) && world.token === record.token;
        const at = isSameDispatch ? timeOfDispatch(world, operation, during) : during;
        const ends = record.state === 'in-doubt' ? during : endOfLease(2 * leaseMs, during);
        return { at, heard: during, ends };
      }
      case 'cancelled': {
        const { fromMs, toMs } = after(during, retentionMs);
        // Of many nodes: an attempt that meets it undecided completes it, for its own retention.
        const ends = { fromMs, toMs: byMajority ? Infinity : toMs };
        return { at: during, heard: during, ends };
      }
      case 'sent':
      case 'rejected':
      case 'skipped':
        return { at: during, heard: during, ends: after(during, retentionMs) };
    }
  }

  function endOfLease(ms: number, during: Span): Span {
    return bySession ? NEVER : after(during, ms);
  }

  // A node that missed the dispatch dates it anew, unless it only receives a heartbeat.
  function timeOfDispatch({ at }: StoredRecord, { verb }: Operation, { toMs }: Span): Span {
    return byMajority && verb !== 'heartbeat' ? { ...at, toMs } : at;
  }
}

interface Execution {
  readonly world: World;
  readonly operation: Operation;
  readonly during: Span;
}

function after({ fromMs, toMs }: Span, ms: number): Span {
  return { fromMs: fromMs + ms - ROUNDING_MS, toMs: toMs + ms + ROUNDING_MS };
}

function isOpen(
  world: World,
): world is StoredRecord & { readonly state: 'dispatched' | 'in-doubt' } {
  return world?.state === 'dispatched' || world?.state === 'in-doubt';
}

/** What a refusal shows of the record that stays. */
function shownBy(
  operation: Operation,
  status: string,
  world: World,
): Pick<Outcome, 'shown' | 'fields'> {
  if (operation.verb === 'release' || operation.verb === 'heartbeat') return {};
  // A skip blocks no attempt.
  if (status === 'expired') return {};
  if (status !== 'conflict' || operation.verb !== 'claim') return { shown: world };
  const fields = differingFields(world?.fingerprint ?? '', operation.fingerprint ?? '');
  return { shown: world, fields };
}
