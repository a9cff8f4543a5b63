import { nowMs } from './clock.ts';
import type { Attempt, Ledger } from './ledger.ts';

/** One claim that is being kept alive. */
export interface KeptClaim {
  /** When the ledger last confirmed it: `nowMs()` before that request left. */
  confirmedMs(): number;
  stop(): void;
}

interface Entry {
  readonly attempt: Attempt;
  confirmedMs: number;
  onLost: () => void;
}

/** One keeper per ledger: it renews all live claims in one command. */
const keepers = new WeakMap<Ledger, Keeper>();

interface Keeper {
  readonly entries: Map<string, Entry>;
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
  const entry: Entry = { attempt, confirmedMs, onLost };
  keeper.entries.set(attempt.token, entry);
  const everyMs = attempt.leaseMs / 3;
  if (keeper.timer === undefined || everyMs < keeper.timerMs) start(ledger, keeper, everyMs);
  return {
    confirmedMs: () => entry.confirmedMs,
    stop: () => keeper.entries.delete(attempt.token),
  };
}

function keeperOf(ledger: Ledger): Keeper {
  let keeper = keepers.get(ledger);
  if (!keeper) {
    keeper = { entries: new Map(), timer: undefined, timerMs: 0 };
    keepers.set(ledger, keeper);
    const { entries } = keeper;
    ledger.onLost?.((tokens) => {
      for (const token of tokens) {
        const entry = entries.get(token);
        if (entry) tellOnce(entry);
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
  for (const entry of entries) if (isOverdue(entry)) tellOnce(entry);
  // Started before the answer is awaited: a ledger that hangs must not stop the beats after it.
  start(ledger, keeper, Math.min(...entries.map(({ attempt }) => attempt.leaseMs)) / 3);
  const replies = await ledger
    .heartbeat(entries.map(({ attempt }) => attempt))
    // No answer renews nothing: the entries below then run into their own deadline.
    .catch(() => undefined);
  for (const [index, entry] of entries.entries()) {
    if (replies?.[index] === 'kept') entry.confirmedMs = Math.max(entry.confirmedMs, leavingMs);
    if (replies?.[index] === 'lost' || isOverdue(entry)) tellOnce(entry);
  }
}

function isOverdue({ attempt, confirmedMs }: Entry): boolean {
  return nowMs() - confirmedMs > attempt.leaseMs;
}

function tellOnce(entry: Entry): void {
  const { onLost } = entry;
  entry.onLost = () => {};
  onLost();
}
