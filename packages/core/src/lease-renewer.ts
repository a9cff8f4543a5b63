import { nowMs } from './clock.ts';
import type { Attempt, Ledger } from './ledger.ts';

/** One claim whose lease is renewed until `stop()`. */
export class LeaseEntry {
  readonly attempt: Attempt;
  /** When the last request left by which the ledger confirmed the claim: `nowMs()`. */
  confirmedAtMs: number;
  private readonly renewer: LeaseRenewer;
  private readonly onLost: () => void;
  private isLost = false;

  constructor(renewer: LeaseRenewer, attempt: Attempt, onLost: () => void, confirmedAtMs: number) {
    this.renewer = renewer;
    this.attempt = attempt;
    this.onLost = onLost;
    this.confirmedAtMs = confirmedAtMs;
    renewer.entries.set(attempt.token, this);
  }

  /** Whether the ledger has not confirmed the claim for longer than a lease. */
  isOverdue(): boolean {
    return nowMs() - this.confirmedAtMs > this.attempt.leaseMs;
  }

  /**
   * Whether the claim is overdue, or was lost before: others may have read "in doubt" in that time.
   */
  wasSilent(): boolean {
    return this.isLost || this.isOverdue();
  }

  notifyLost(): void {
    if (this.isLost) return;
    this.isLost = true;
    this.onLost();
  }

  stop(): void {
    const { entries } = this.renewer;
    const { token } = this.attempt;
    // A replay in the same process has the same token, and an entry that must stay.
    if (entries.get(token) === this) entries.delete(token);
  }
}

/** One renewer per ledger: it renews all live claims in one command. */
interface LeaseRenewer {
  readonly entries: Map<string, LeaseEntry>;
  timer: NodeJS.Timeout | undefined;
  timerMs: number;
}

const renewers = new WeakMap<Ledger, LeaseRenewer>();

/**
 * Renews a claim every third of its lease until `stop()`. `onLost` is called once: when the ledger
 * says that the claim is lost, or when it could not confirm the claim for a whole lease.
 *
 * @param confirmedAtMs when the request left whose answer confirmed the claim.
 */
export function startRenewing(
  ledger: Ledger,
  attempt: Attempt,
  onLost: () => void,
  confirmedAtMs: number = nowMs(),
): LeaseEntry {
  const renewer = renewerOf(ledger);
  const entry = new LeaseEntry(renewer, attempt, onLost, confirmedAtMs);
  const everyMs = attempt.leaseMs / 3;
  if (renewer.timer === undefined || everyMs < renewer.timerMs) schedule(ledger, renewer, everyMs);
  return entry;
}

function renewerOf(ledger: Ledger): LeaseRenewer {
  let renewer = renewers.get(ledger);
  if (!renewer) {
    renewer = { entries: new Map(), timer: undefined, timerMs: 0 };
    renewers.set(ledger, renewer);
    const { entries } = renewer;
    ledger.onLost?.((tokens) => {
      for (const token of tokens) entries.get(token)?.notifyLost();
    });
  }
  return renewer;
}

function schedule(ledger: Ledger, renewer: LeaseRenewer, everyMs: number): void {
  clearTimeout(renewer.timer);
  renewer.timerMs = everyMs;
  // The timer outlives short gaps between jobs and is not set again when there is nothing to renew.
  renewer.timer = setTimeout(() => void renew(ledger, renewer), everyMs).unref();
}

async function renew(ledger: Ledger, renewer: LeaseRenewer): Promise<void> {
  renewer.timer = undefined;
  if (renewer.entries.size === 0) return;
  const entries = [...renewer.entries.values()];
  const requestedAtMs = nowMs();
  // Before the request as well: a ledger that hangs gives no answer after which to check.
  for (const entry of entries) if (entry.isOverdue()) entry.notifyLost();
  // Scheduled before the answer is awaited: a ledger that hangs must not stop the next renewals.
  schedule(ledger, renewer, Math.min(...entries.map(({ attempt }) => attempt.leaseMs)) / 3);
  const replies = await ledger
    .heartbeat(entries.map(({ attempt }) => attempt))
    // No answer renews nothing: the entries then become overdue.
    .catch(() => undefined);
  for (const [index, entry] of entries.entries()) {
    if (replies?.[index] === 'kept') {
      entry.confirmedAtMs = Math.max(entry.confirmedAtMs, requestedAtMs);
    }
    if (replies?.[index] === 'lost' || entry.isOverdue()) entry.notifyLost();
  }
}
