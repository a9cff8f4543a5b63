import { nowMs } from './clock.ts';
import type { Attempt, Ledger } from './ledger.ts';

/** One claim that is being kept alive. */
export class KeptClaim {
  readonly attempt: Attempt;
  /** When the ledger last confirmed it: `nowMs()` before that request left. */
  confirmedMs: number;
  private readonly entries: Map<string, KeptClaim>;
  private onLost: () => void;

  constructor(keeper: Keeper, attempt: Attempt, onLost: () => void, confirmedMs: number) {
    this.attempt = attempt;
    this.confirmedMs = confirmedMs;
    this.entries = keeper.entries;
    this.onLost = onLost;
    this.entries.set(attempt.token, this);
  }

  isOverdue(): boolean {
    return nowMs() - this.confirmedMs > this.attempt.leaseMs;
  }

  tellOnce(): void {
    const { onLost } = this;
    this.onLost = () => {};
    onLost();
  }

  stop(): void {
    this.entries.delete(this.attempt.token);
  }
}

/** One keeper per ledger: it renews all live claims in one command. */
const keepers = new WeakMap<Ledger, Keeper>();

interface Keeper {
  readonly entries: Map<string, KeptClaim>;
  timer: NodeJS.Timeout | undefined;
  timerMs: number;
}

/**
 * Renews a claim every third of its lease until `stop()`. `onLost` is called once: when the ledger
 * says so, or when it could not confirm for a whole lease (the claim may have run out unseen).
 */
export function keepAlive(
  ledger: Ledger,
  attempt: Attempt,
  onLost: () => void,
  /** When the question left whose answer confirmed the claim. */
  confirmedMs: number = nowMs(),
): KeptClaim {
  const keeper = keeperOf(ledger);
  const kept = new KeptClaim(keeper, attempt, onLost, confirmedMs);
  const everyMs = attempt.leaseMs / 3;
  if (keeper.timer === undefined || everyMs < keeper.timerMs) start(ledger, keeper, everyMs);
  return kept;
}

function keeperOf(ledger: Ledger): Keeper {
  let keeper = keepers.get(ledger);
  if (!keeper) {
    keeper = { entries: new Map(), timer: undefined, timerMs: 0 };
    keepers.set(ledger, keeper);
    const { entries } = keeper;
    ledger.onLost?.((tokens) => {
      for (const token of tokens) {
        entries.get(token)?.tellOnce();
      }
    });
  }
  return keeper;
}

function start(ledger: Ledger, keeper: Keeper, everyMs: number): void {
  clearTimeout(keeper.timer);
  keeper.timerMs = everyMs;
  // The timer survives short gaps between jobs and ends itself when a beat finds nothing to renew.
  keeper.timer = setTimeout(() => void beat(ledger, keeper), everyMs).unref();
}

async function beat(ledger: Ledger, keeper: Keeper): Promise<void> {
  keeper.timer = undefined;
  if (keeper.entries.size === 0) return;
  const entries = [...keeper.entries.values()];
  const leavingMs = nowMs();
  // Before the question too: a ledger that hangs gives no answer to check after.
  for (const entry of entries) if (entry.isOverdue()) entry.tellOnce();
  // Started before the answer is awaited: a ledger that hangs must not stop the beats after it.
  start(ledger, keeper, Math.min(...entries.map(({ attempt }) => attempt.leaseMs)) / 3);
  const replies = await ledger
    .heartbeat(entries.map(({ attempt }) => attempt))
    // No answer renews nothing: the entries below then run into their own deadline.
    .catch(() => undefined);
  for (const [index, entry] of entries.entries()) {
    if (replies?.[index] === 'kept') entry.confirmedMs = Math.max(entry.confirmedMs, leavingMs);
    if (replies?.[index] === 'lost' || entry.isOverdue()) entry.tellOnce();
  }
}
