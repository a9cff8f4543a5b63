import type {
  Attempt,
  CancelReply,
  ClaimReply,
  DispatchReply,
  HeartbeatReply,
  Ledger,
  LedgerRecord,
  Loss,
} from './ledger.ts';
import { isListed, lossAgainst } from './store.ts';

export interface MemoryLedgerOptions {
  /** The clock, in ms since 1970. @default Date.now */
  readonly now?: () => number;
}

interface Stored {
  readonly record: LedgerRecord & { state: StoredState };
  /** When it vanishes, or never (open dispatches). */
  readonly expiresAtMs: number;
  /** From when a dispatched record counts as in doubt. */
  readonly inDoubtAtMs: number;
}
type StoredState = Exclude<LedgerRecord['state'], 'in-doubt'>;

/**
 * A ledger in the memory of this process: for your own unit tests, and as the readable form of the
 * protocol. It protects nothing across processes and forgets everything at exit.
 */
export function memoryLedger({ now = Date.now }: MemoryLedgerOptions = {}): Ledger {
  const records = new Map<string, Stored>();

  function find(key: string): Stored | undefined {
    const stored = records.get(key);
    if (!stored || stored.expiresAtMs > now()) return stored;
    records.delete(key);
    return undefined;
  }

  function write(
    record: Stored['record'],
    times: { readonly expiresAtMs?: number; readonly inDoubtAtMs?: number },
  ): void {
    const { expiresAtMs = Infinity, inDoubtAtMs = Infinity } = times;
    records.set(record.key, { record, expiresAtMs, inDoubtAtMs });
  }

  function seen({ record, inDoubtAtMs }: Stored): LedgerRecord {
    const silent = record.state === 'dispatched' && inDoubtAtMs <= now();
    return silent ? { ...record, state: 'in-doubt' } : record;
  }

  function lossOf(stored: Stored, attempt: Pick<Attempt, 'fingerprint'> = {}): Loss {
    const record = seen(stored);
    const { expiresAtMs, inDoubtAtMs } = stored;
    const { state, atMs } = record;
    const untilMs = state === 'claimed' ? expiresAtMs : state === 'in-doubt' ? atMs : inDoubtAtMs;
    return lossAgainst(record, attempt, untilMs - now());
  }

  function fresh(attempt: Attempt, state: StoredState): Stored['record'] {
    const { key, token, by, fingerprint } = attempt;
    return {
      key,
      state,
      token,
      atMs: now(),
      ...(by !== undefined && { by }),
      ...(fingerprint !== undefined && { fingerprint }),
    };
  }

  /** It holds the record open, and nobody was told yet that it is in doubt. */
  function mayGoOn(stored: Stored, token: string): boolean {
    return isOpen(stored, token) && seen(stored).state !== 'in-doubt';
  }

  const stillSending = (leaseMs: number) => ({ inDoubtAtMs: now() + 2 * leaseMs });

  return {
    async claim(request): Promise<ClaimReply> {
      const stored = find(request.key);
      if (stored && !mayGoOn(stored, request.token)) return lossOf(stored, request);
      if (stored?.record.state === 'dispatched') {
        // A repeat neither takes a dispatch back, nor its time or what a doubt of it says.
        write(stored.record, stillSending(request.leaseMs));
      } else if (request.dispatched) {
        write(fresh(request, 'dispatched'), stillSending(request.leaseMs));
      } else {
        write(fresh(request, 'claimed'), { expiresAtMs: now() + request.leaseMs });
      }
      return { state: 'won' };
    },

    async dispatch(attempt): Promise<DispatchReply> {
      const stored = find(attempt.key);
      if (!stored) return { state: 'expired' };
      if (!mayGoOn(stored, attempt.token)) return lossOf(stored);
      const { record } = stored;
      const atMs = record.state === 'dispatched' ? record.atMs : now();
      write({ ...record, state: 'dispatched', atMs }, stillSending(attempt.leaseMs));
      return { state: 'dispatched' };
    },

    async settle(settlement) {
      const stored = find(settlement.key);
      const standing = stored?.record.state;
      const settled = standing === 'sent' || standing === 'rejected';
      const own = stored?.record.token === settlement.token;
      const { outcome, messageId } = settlement;
      const othersFact = !own && (settled || standing === 'dispatched');
      const stays =
        standing === 'cancelled' ? outcome !== 'sent' : settled && outcome === 'in-doubt';
      if (stored && (othersFact || stays)) return { state: 'lost', record: seen(stored) };
      const record: Stored['record'] = {
        ...fresh(settlement, outcome === 'in-doubt' ? 'dispatched' : outcome),
        ...(messageId !== undefined && { messageId }),
        ...('note' in settlement && settlement.note !== undefined && { note: settlement.note }),
        ...('result' in settlement &&
          settlement.result !== undefined && { result: settlement.result }),
      };
      const dispatched = own && standing === 'dispatched';
      const atMs = dispatched ? stored.record.atMs : record.atMs;
      if (outcome === 'in-doubt') write({ ...record, atMs }, { inDoubtAtMs: now() });
      else write(record, { expiresAtMs: now() + settlement.retentionMs });
      return { state: 'settled' };
    },

    async release({ key, token }) {
      const stored = find(key);
      if (stored && !isOpen(stored, token)) return { state: 'lost' };
      if (stored && !mayGoOn(stored, token)) return { state: 'in-doubt' };
      records.delete(key);
      return { state: 'released' };
    },

    async heartbeat(attempts): Promise<HeartbeatReply[]> {
      return attempts.map(({ key, token, leaseMs }) => {
        const stored = find(key);
        if (!stored || !isOpen(stored, token)) return 'lost';
        const dispatched = stored.record.state === 'dispatched';
        write(stored.record, dispatched ? stillSending(leaseMs) : { expiresAtMs: now() + leaseMs });
        return 'kept';
      });
    },

    async read(key) {
      const stored = find(key);
      return stored && seen(stored);
    },

    async *list({ state }) {
      const open = [...records.values()]
        .toSorted((one, other) => one.inDoubtAtMs - other.inDoubtAtMs)
        .map(seen);
      for (const record of open) {
        if (isListed(record, state)) yield record;
      }
    },

    async resolve({ key, token, verdict, by, retentionMs }) {
      const stored = find(key);
      // The repeat of a verdict whose reply was lost.
      if (!stored && verdict === 'not-sent') return { state: 'resolved' };
      const record = stored && seen(stored);
      const own = record?.token === token;
      if (own && record.state === 'sent' && verdict === 'sent') return { state: 'resolved' };
      const open = record?.state === 'in-doubt';
      const again = record?.state === 'rejected' && verdict === 'not-sent';
      if (!stored || !own || !(open || again)) return { state: 'not-in-doubt', record };
      if (verdict === 'not-sent') records.delete(key);
      else {
        write(
          { ...stored.record, state: 'sent', atMs: now(), note: `resolved by ${by}` },
          { expiresAtMs: now() + retentionMs },
        );
      }
      return { state: 'resolved' };
    },

    async cancel({ key, by, retentionMs }): Promise<CancelReply> {
      const stored = find(key);
      const standing = stored?.record.state;
      if (stored && standing !== 'claimed' && standing !== 'cancelled') {
        return { state: 'too-late', record: seen(stored) };
      }
      const record = { key, state: 'cancelled', token: '', atMs: now() } as const;
      write(by === undefined ? record : { ...record, by }, { expiresAtMs: now() + retentionMs });
      return { state: 'cancelled' };
    },
  };
}

/** Whether this token holds the record open: claimed or dispatched, in doubt or not. */
function isOpen({ record }: Stored, token: string): boolean {
  return record.token === token && (record.state === 'claimed' || record.state === 'dispatched');
}
