import type { Attempt, Ledger, Settlement } from './ledger.ts';
import type { LedgerRecord, Loss, RecordState } from './record.ts';
import { checkFunction, checkNames, type OptionNames } from './store/check-options.ts';
import { checkListState, isListed } from './store/list-records.ts';
import { lossAgainst } from './store/loss.ts';

/** The options of {@link memoryLedger}. */
export interface MemoryLedgerOptions {
  /** The clock, in ms since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/**
 * A ledger in the memory of this process: for your own unit tests, and as the readable form of the
 * protocol. Each verb is a `switch` over the state that it meets, in the order of the table in
 * `ledger.ts`. It protects nothing across processes and forgets everything at exit.
 *
 * @example
 * const ledger = memoryLedger();
 */
export function memoryLedger(options: MemoryLedgerOptions = {}): Ledger {
  checkNames('memoryLedger()', options, { now: true } satisfies OptionNames<MemoryLedgerOptions>);
  checkFunction('now', options.now, true);
  const { now = Date.now } = options;
  const entries = new Map<string, Entry>();

  /** What a verb meets: the entry under the key, and its state as the caller sees it. */
  function meet({ key, token }: Pick<Attempt, 'key' | 'token'>): Met {
    const entry = entries.get(key);
    if (!entry || entry.expiresAtMs <= now()) {
      entries.delete(key);
      return { state: 'absent' };
    }
    const { record } = entry;
    const isSilent = entry.inDoubtAtMs <= now();
    const seen = isSilent ? ({ ...record, state: 'in-doubt' } as const) : record;
    return { state: seen.state, entry, seen, isOwn: record.token === token };
  }

  function keep(record: LedgerRecord, times: Partial<Omit<Entry, 'record'>>): void {
    entries.set(record.key, { expiresAtMs: Infinity, inDoubtAtMs: Infinity, ...times, record });
  }

  const keepClaimed = (record: LedgerRecord, leaseMs: number) =>
    keep({ ...record, state: 'claimed' }, { expiresAtMs: now() + leaseMs });
  const keepDispatched = (record: LedgerRecord, leaseMs: number) =>
    keep({ ...record, state: 'dispatched' }, { inDoubtAtMs: now() + 2 * leaseMs });
  const keepInDoubt = (record: LedgerRecord) =>
    keep({ ...record, state: 'dispatched' }, { inDoubtAtMs: now() });
  const keepOutcome = (record: LedgerRecord, retentionMs: number) =>
    keep(record, { expiresAtMs: now() + retentionMs });

  function lossTo(met: Present, attempt: Pick<Attempt, 'fingerprint'>): Loss {
    const { entry, seen } = met;
    const untilMs = {
      claimed: entry.expiresAtMs,
      dispatched: entry.inDoubtAtMs,
      'in-doubt': seen.atMs,
    } as Partial<Record<RecordState, number>>;
    return lossAgainst(seen, attempt, (untilMs[seen.state] ?? 0) - now());
  }

  return {
    async claim(request) {
      const met = meet(request);
      const { dispatched = false, leaseMs } = request;
      switch (met.state) {
        case 'absent':
        case 'skipped':
          break;
        case 'claimed':
          if (met.isOwn) break;
          return lossTo(met, request);
        case 'dispatched':
          if (!met.isOwn) return lossTo(met, request);
          // A repeat neither undoes a dispatch nor changes its time and texts.
          keepDispatched(met.entry.record, leaseMs);
          return { state: 'won' };
        case 'in-doubt':
        case 'sent':
        case 'rejected':
        case 'cancelled':
          return lossTo(met, request);
      }
      const record = recordOf(request, now());
      if (dispatched) keepDispatched(record, leaseMs);
      else keepClaimed(record, leaseMs);
      return { state: 'won' };
    },

    async dispatch(attempt) {
      const met = meet(attempt);
      switch (met.state) {
        case 'absent':
        case 'skipped':
          return { state: 'expired' };
        case 'claimed':
          if (!met.isOwn) return lossTo(met, {});
          keepDispatched({ ...met.entry.record, atMs: now() }, attempt.leaseMs);
          return { state: 'dispatched' };
        case 'dispatched':
          if (!met.isOwn) return lossTo(met, {});
          keepDispatched(met.entry.record, attempt.leaseMs);
          return { state: 'dispatched' };
        case 'in-doubt':
        case 'sent':
        case 'rejected':
        case 'cancelled':
          return lossTo(met, {});
      }
    },

    async settle(settlement) {
      const met = meet(settlement);
      const { outcome } = settlement;
      let atMs = now();
      switch (met.state) {
        case 'absent':
        case 'skipped':
          break;
        case 'claimed':
          if (met.isOwn || outcome !== 'skipped') break;
          return { state: 'lost', record: met.seen };
        case 'dispatched':
        case 'in-doubt':
          if (!met.isOwn) return { state: 'lost', record: met.seen };
          if (outcome === 'in-doubt') ({ atMs } = met.seen);
          break;
        case 'sent':
        case 'rejected':
          if (met.isOwn && outcome !== 'in-doubt' && outcome !== 'skipped') break;
          return { state: 'lost', record: met.seen };
        case 'cancelled':
          if (outcome === 'sent' && !settlement.undispatched) break;
          return { state: 'lost', record: met.seen };
      }
      const record = { ...recordOf(settlement, atMs), ...textsOf(settlement) };
      if (outcome === 'in-doubt') keepInDoubt(record);
      else keepOutcome({ ...record, state: outcome }, settlement.retentionMs);
      return { state: 'settled' };
    },

    async release(attempt) {
      const met = meet(attempt);
      switch (met.state) {
        case 'absent':
        case 'skipped':
          return { state: 'released' };
        case 'claimed':
        case 'dispatched':
          if (!met.isOwn) return { state: 'lost' };
          entries.delete(attempt.key);
          return { state: 'released' };
        case 'in-doubt':
          return { state: met.isOwn ? 'in-doubt' : 'lost' };
        case 'sent':
        case 'rejected':
        case 'cancelled':
          return { state: 'lost' };
      }
    },

    async heartbeat(attempts) {
      return attempts.map((attempt) => {
        const met = meet(attempt);
        switch (met.state) {
          case 'claimed':
            if (!met.isOwn) return 'lost';
            keepClaimed(met.entry.record, attempt.leaseMs);
            return 'kept';
          case 'dispatched':
          case 'in-doubt':
            if (!met.isOwn) return 'lost';
            keepDispatched(met.entry.record, attempt.leaseMs);
            return 'kept';
          case 'absent':
          case 'sent':
          case 'rejected':
          case 'skipped':
          case 'cancelled':
            return 'lost';
        }
      });
    },

    async read(key) {
      return meet({ key, token: '' }).seen;
    },

    async *list({ state }) {
      checkListState(state);
      const seen = [...entries.values()]
        .toSorted((one, other) => one.inDoubtAtMs - other.inDoubtAtMs)
        .map(({ record }) => meet(record).seen);
      for (const record of seen) {
        if (isListed(record, state)) yield record;
      }
    },

    async resolve({ key, token, verdict, by, retentionMs }) {
      const met = meet({ key, token });
      const isSent = verdict === 'sent';
      switch (met.state) {
        case 'absent':
          // The repeat of a "not-sent" whose reply was lost.
          return isSent ? { state: 'not-in-doubt', record: undefined } : { state: 'resolved' };
        case 'in-doubt': {
          if (!met.isOwn) break;
          const { lateNotSent: _, ...record } = met.entry.record;
          if (!isSent) entries.delete(key);
          else keepOutcome({ ...record, state: 'sent', atMs: now(), resolvedBy: by }, retentionMs);
          return { state: 'resolved' };
        }
        case 'sent':
          if (!met.isOwn || !isSent) break;
          return { state: 'resolved' };
        case 'rejected':
          if (!met.isOwn || isSent) break;
          entries.delete(key);
          return { state: 'resolved' };
        case 'claimed':
        case 'dispatched':
        case 'skipped':
        case 'cancelled':
          break;
      }
      return { state: 'not-in-doubt', record: met.seen };
    },

    async cancel({ key, by, retentionMs }) {
      const met = meet({ key, token: '' });
      switch (met.state) {
        case 'absent':
        case 'claimed':
        case 'skipped':
        case 'cancelled':
          keepOutcome(
            { key, state: 'cancelled', token: '', atMs: now(), ...defined({ by }) },
            retentionMs,
          );
          return { state: 'cancelled' };
        case 'dispatched':
        case 'in-doubt':
        case 'sent':
        case 'rejected':
          return { state: 'too-late', record: met.seen };
      }
    },
  };
}

interface Entry {
  /** Never in the state `in-doubt`: that is `dispatched` from `inDoubtAtMs` on. */
  readonly record: LedgerRecord;
  /** When it vanishes. Infinity past dispatch. */
  readonly expiresAtMs: number;
  readonly inDoubtAtMs: number;
}

interface Present {
  readonly state: RecordState;
  readonly entry: Entry;
  /** The record, `in-doubt` where it is. */
  readonly seen: LedgerRecord;
  readonly isOwn: boolean;
}

type Met = Present | { readonly state: 'absent'; readonly seen?: undefined };

function recordOf(
  { key, token, job, digest, by, fingerprint }: Attempt,
  atMs: number,
): LedgerRecord {
  return { key, state: 'claimed', token, atMs, ...defined({ job, digest, by, fingerprint }) };
}

function textsOf(settlement: Settlement): Partial<LedgerRecord> {
  const { messageId, note } = settlement;
  switch (settlement.outcome) {
    case 'sent':
      return defined({ messageId, note, result: settlement.result });
    case 'rejected':
    case 'skipped':
      return defined({ messageId, note });
    case 'in-doubt':
      return defined({ messageId, note, lateNotSent: settlement.lateNotSent });
  }
}

/** Without the fields that are undefined, as a store gives a record back. */
function defined<T extends object>(fields: T): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
