import type {
  Attempt,
  Cancellation,
  ClaimRequest,
  LedgerRecord,
  Resolution,
  Settlement,
} from '@sendonce/core';

/**
 * The contract of `packages/core/src/ledger.ts` for one key, said a second time and as short as can be:
 * what a verb may answer and what may stand afterwards. It knows a moment only as a span, the time that
 * the command took, so that whatever falls into that span may have ended or not.
 */

/** One verb about one key. A heartbeat of many and a list are as many operations. */
export type Operation =
  | ({ readonly verb: 'claim' } & ClaimRequest)
  | ({ readonly verb: 'dispatch' | 'heartbeat' } & Attempt)
  | ({ readonly verb: 'release' } & Pick<Attempt, 'key' | 'token'>)
  | ({ readonly verb: 'settle' } & Settlement)
  | ({ readonly verb: 'resolve' } & Resolution)
  | ({ readonly verb: 'cancel' } & Cancellation)
  | { readonly verb: 'read'; readonly key: string }
  | { readonly verb: 'list'; readonly key: string; readonly state: 'open' | 'in-doubt' };

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Standing extends Omit<LedgerRecord, 'atMs'> {
  readonly at: Span;
  /** Since when nothing was heard of its sender. */
  readonly heard: Span;
  /** When the lease, the mark or the retention ends; of a doubt, since when it is one. */
  readonly ends: Span;
}

/** What stands under a key, or nothing. */
export type World = Standing | undefined;

/** An answer: its word, and what stands there where the answer shows it. */
export interface Outcome {
  readonly word: string;
  readonly shown?: World;
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
  secondStep(operation: Operation): Operation | undefined;
  /** The outcomes that the contract allows an operation. */
  outcomes(world: World, operation: Operation, during: Span): readonly Outcome[];
  /** What time alone may have made of it. */
  aged(world: World, during: Span): readonly World[];
  /** What stands when its sender is dead. */
  orphaned(world: World, during: Span): World;
}

/** Servers count in whole milliseconds, each by its own rounding. */
export const ROUNDING_MS = 2;
const NEVER: Span = { fromMs: Infinity, toMs: Infinity };

export function referenceOf({ bySession, byMajority }: Rules): Reference {
  const after = ({ fromMs, toMs }: Span, ms: number): Span => {
    return { fromMs: fromMs + ms - ROUNDING_MS, toMs: toMs + ms + ROUNDING_MS };
  };
  const opened = (state: 'claimed' | 'dispatched', leaseMs: number, during: Span) => {
    const ends = after(during, state === 'claimed' ? leaseMs : 2 * leaseMs);
    return { state, heard: during, ends: bySession ? NEVER : ends };
  };
  // Of many nodes one that missed the dispatch dates it anew.
  const timeOfDispatch = ({ at }: Standing, { toMs }: Span): Span =>
    byMajority ? { ...at, toMs } : at;
  const repeated = (world: Standing, { leaseMs }: Attempt, during: Span): Standing => ({
    ...world,
    ...opened('dispatched', leaseMs, during),
    at: timeOfDispatch(world, during),
  });
  const concluded = (retentionMs: number, during: Span) => {
    return { at: during, heard: during, ends: after(during, retentionMs) };
  };

  function outcomes(world: World, o: Operation, during: Span): readonly Outcome[] {
    const own = world !== undefined && 'token' in o && world.token === o.token;
    const open = own && (world.state === 'claimed' || isDispatched(world));
    const mayGoOn = open && world.state !== 'in-doubt';
    const stays = (word: string): Outcome[] => [{ word, shown: world, next: world }];
    const becomes = (word: string, next: World): Outcome[] => [{ word, next }];

    switch (o.verb) {
      case 'claim': {
        if (world && !mayGoOn) return stays(lossAgainst(world, o.fingerprint));
        if (isDispatched(world)) return becomes('won', repeated(world, o, during));
        const fresh = { key: o.key, token: o.token, ...textsOf(o) };
        const times = opened(o.dispatched ? 'dispatched' : 'claimed', o.leaseMs, during);
        return becomes('won', { ...fresh, ...times, at: during });
      }
      case 'dispatch': {
        if (!world) return becomes('expired', world);
        if (!mayGoOn) return stays(lossAgainst(world));
        if (isDispatched(world)) return becomes('dispatched', repeated(world, o, during));
        const times = opened('dispatched', o.leaseMs, during);
        return becomes('dispatched', { ...world, ...times, at: during });
      }
      case 'settle': {
        const { key, token, outcome: state } = o;
        const doubt = state === 'in-doubt';
        if (isSettled(world) && (doubt || !own)) return stays('lost');
        if (isDispatched(world) && !own) return stays('lost');
        if (world?.state === 'cancelled' && state !== 'sent') return stays('lost');
        const fresh = { key, token, state, ...textsOf(o) };
        if (!doubt) return becomes('settled', { ...fresh, ...concluded(o.retentionMs, during) });
        const at = own && isDispatched(world) ? timeOfDispatch(world, during) : during;
        return becomes('settled', { ...fresh, at, heard: during, ends: during });
      }
      case 'release':
        if (world && !open) return becomes('lost', world);
        return world && !mayGoOn ? becomes('in-doubt', world) : becomes('released', undefined);
      case 'heartbeat': {
        if (!open) return becomes('lost', world);
        const state = isDispatched(world) ? 'dispatched' : 'claimed';
        return becomes('kept', { ...world, ...opened(state, o.leaseMs, during) });
      }
      case 'resolve': {
        const { verdict, by, retentionMs } = o;
        const doubt = own && world.state === 'in-doubt';
        if (verdict === 'not-sent') {
          const removes = !world || doubt || (own && world.state === 'rejected');
          return removes ? becomes('resolved', undefined) : stays('not-in-doubt');
        }
        const times = concluded(retentionMs, during);
        if (own && world.state === 'sent') {
          // Whether a repeat lets the retention start anew is open.
          return [world, { ...world, ...times }].flatMap((next) => becomes('resolved', next));
        }
        if (!doubt) return stays('not-in-doubt');
        return becomes('resolved', { ...world, state: 'sent', note: by, ...times });
      }
      case 'cancel': {
        if (isSettled(world) || isDispatched(world)) return stays('too-late');
        const { key, by } = o;
        const anew = concluded(o.retentionMs, during);
        // Of many nodes: an attempt that meets it undecided completes it, for its own retention.
        const toMs = byMajority ? Infinity : anew.ends.toMs;
        const times = { ...anew, ends: { ...anew.ends, toMs } };
        const fresh: Standing = {
          key,
          token: '',
          state: 'cancelled',
          ...textsOf({ by }),
          ...times,
        };
        const kept = world?.state === 'cancelled' && { ...world, ends: times.ends };
        // It has no token: whether a second one is a repeat, or says who and when anew, is open.
        return [fresh, ...(kept ? [kept] : [])].flatMap((next) => becomes('cancelled', next));
      }
      case 'read':
        return stays(world?.state ?? 'absent');
      case 'list': {
        const listed = world?.state === 'in-doubt' || (o.state === 'open' && isDispatched(world));
        return listed ? stays('listed') : becomes('not listed', world);
      }
    }
  }

  return {
    outcomes,
    secondStep(operation) {
      const isTwo = byMajority && operation.verb === 'claim' && operation.dispatched;
      return isTwo ? { ...operation, verb: 'dispatch' } : undefined;
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
}

function isDispatched(
  world: World,
): world is Standing & { readonly state: 'dispatched' | 'in-doubt' } {
  return world?.state === 'dispatched' || world?.state === 'in-doubt';
}

function isSettled(world: World): boolean {
  return world?.state === 'sent' || world?.state === 'rejected';
}

/** In this order. A dispatch compares no fingerprints. */
function lossAgainst(world: Standing, fingerprint?: string): string {
  if (world.state === 'cancelled') return 'cancelled';
  const known = world.fingerprint ?? fingerprint;
  if (known !== (fingerprint ?? known)) return 'conflict';
  if (isSettled(world)) return 'duplicate';
  return world.state === 'in-doubt' ? 'in-doubt' : 'busy';
}

const TEXTS = ['by', 'fingerprint', 'messageId', 'note', 'result'] as const;
export type Texts = { readonly [name in (typeof TEXTS)[number]]?: string | undefined };

/** The texts that are there. */
export function textsOf(from: Texts): { readonly [name in (typeof TEXTS)[number]]?: string } {
  const there = TEXTS.filter((name) => from[name] !== undefined);
  return Object.fromEntries(there.map((name) => [name, from[name]]));
}
