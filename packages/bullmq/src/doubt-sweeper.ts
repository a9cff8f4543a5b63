import {
  DEFAULT_RETENTION_MS,
  deriveKey,
  isSendonceError,
  type Journal,
  type Ledger,
  type LedgerRecord,
  resolveEmail,
  type Resolver,
  type ResolverVerdict,
} from '@sendonce/core';
import {
  checkDuration,
  checkFunction,
  checkLedger,
  checkNames,
  checkTimer,
  createToken,
  type OptionNames,
  warnOfCallback,
} from '@sendonce/core/ledger';
import { type QueueOfJobs, retryIfFailed } from '@sendonce/core/inspect';

export interface DoubtSweeperOptions {
  /** The one that the workers use. */
  readonly ledger: Ledger;
  /** Records what was resolved. @default none */
  readonly journal?: Journal | undefined;
  /** Asked about each email in doubt, for example by a look-up at the provider. */
  readonly resolver?: Resolver | undefined;
  /** As in `once()`: the job of an email in doubt is retried while the provider knows the email. */
  readonly replayWithinMs?: number | undefined;
  /** How long a resolved outcome is kept, in ms. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
  /** Pause between two sweeps, in ms. @default 60_000 */
  readonly intervalMs?: number | undefined;
  /**
   * Called after each sweep by time, also after one that failed (`error`); it may be async. If it
   * fails, that is a process warning.
   */
  readonly onSwept?: ((swept: Swept) => unknown) | undefined;
}

const OPTION_NAMES: OptionNames<DoubtSweeperOptions> = {
  ledger: true,
  journal: true,
  resolver: true,
  replayWithinMs: true,
  retentionMs: true,
  intervalMs: true,
  onSwept: true,
};

/** What one sweep found of this queue. */
export interface Swept {
  /** Another process is sweeping: nothing was looked at. */
  readonly busy?: true | undefined;
  /** Resolved by the resolver. */
  readonly sent: number;
  readonly notSent: number;
  /** Jobs that had failed and were given to a worker again. */
  readonly retried: number;
  /** Still in doubt, and no job comes back for them: a person has to find out. */
  readonly held: readonly LedgerRecord[];
  readonly error?: unknown;
}

export interface DoubtSweeper extends AsyncDisposable {
  /** Sweeps once, now. */
  sweep(): Promise<Swept>;
  /** Ends the sweeping, after the sweep that runs. The same as `[Symbol.asyncDispose]()`. */
  close(): Promise<void>;
}

const nothingSwept: Swept = { sent: 0, notSent: 0, retried: 0, held: [] };

const LEASE_MS = 30_000;

/**
 * Finds the emails in doubt that no job comes back for: BullMQ fails a job after its second stall
 * without running it. Each one is shown to the resolver, and its job is run again where that helps:
 * after a verdict, and while the provider still knows the email. Every worker may run a sweeper;
 * one at a time sweeps. What is left is `held`: log it, or alert a person.
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * const sweeper = doubtSweeper(queue, { ledger, replayWithinMs: 24 * 60 * 60 * 1000, onSwept: console.log });
 */
export function doubtSweeper(queue: QueueOfJobs, options: DoubtSweeperOptions): DoubtSweeper {
  const { ledger, intervalMs = 60_000, retentionMs = DEFAULT_RETENTION_MS } = options;
  checkNames('doubtSweeper()', options, OPTION_NAMES);
  checkLedger(ledger);
  checkFunction('resolver', options.resolver, true);
  checkFunction('onSwept', options.onSwept, true);
  checkTimer('intervalMs', intervalMs);
  checkDuration('retentionMs', retentionMs);
  if (options.replayWithinMs !== undefined) checkDuration('replayWithinMs', options.replayWithinMs);

  let running: Promise<unknown> = Promise.resolve();
  const sweep = () => {
    const swept = running.then(() => sweepAlone(queue, { ...options, retentionMs }));
    running = swept.catch(() => {});
    return swept;
  };
  const timer = setInterval(() => void sweepByTime(), intervalMs).unref();

  async function sweepByTime(): Promise<void> {
    const swept = await sweep().catch((error: unknown): Swept => ({ ...nothingSwept, error }));
    try {
      await options.onSwept?.(swept);
    } catch (error) {
      warnOfCallback(error);
    }
  }

  async function close(): Promise<void> {
    clearInterval(timer);
    await running;
  }

  return { sweep, close, [Symbol.asyncDispose]: close };
}

type Options = DoubtSweeperOptions & { readonly retentionMs: number };

/** The lock is a claim: released at the end, and by time if the sweeper dies. */
async function sweepAlone(queue: QueueOfJobs, options: Options): Promise<Swept> {
  const { ledger, retentionMs } = options;
  const lock = {
    key: deriveKey(['sendonce', 'doubt-sweeper', queue.name]),
    token: createToken(),
    leaseMs: LEASE_MS,
    retentionMs: Math.max(retentionMs, LEASE_MS),
    by: `sweeper of ${queue.name}`,
  };
  const { state } = await ledger.claim(lock);
  if (state !== 'won') return { ...nothingSwept, busy: true };
  // Two sweepers at once would only do the same twice: what they write names the token of the
  // doubt.
  const beat = setInterval(() => void ledger.heartbeat([lock]).catch(() => {}), LEASE_MS / 3);
  try {
    return await sweepAll(queue, options);
  } finally {
    clearInterval(beat);
    await ledger.release(lock).catch(() => {});
  }
}

async function sweepAll(queue: QueueOfJobs, options: Options): Promise<Swept> {
  let [sent, notSent, retried] = [0, 0, 0];
  const held: LedgerRecord[] = [];
  for await (const record of options.ledger.list({ state: 'in-doubt' })) {
    // Another queue's emails are left to its own sweeper.
    const jobId = record.job?.queue === queue.name ? record.job.id : undefined;
    if (jobId === undefined) continue;
    const job = await queue.getJob(jobId);
    const canRun = job !== undefined && (await job.getState()) !== 'completed';
    const verdict = await findVerdict(record, options, canRun);
    sent += Number(verdict === 'sent');
    notSent += Number(verdict === 'not-sent');
    // Decides nothing: the worker asks the ledger, by its clock, whether the window is still open.
    const replayable = Date.now() - record.atMs < (options.replayWithinMs ?? 0);
    if (verdict === 'unknown' && !(replayable && canRun)) held.push(record);
    else if (job && (await retryIfFailed(job).catch(() => false))) retried += 1;
  }
  return { sent, notSent, retried, held };
}

/** Asks the resolver, and ends the doubt by its verdict. */
async function findVerdict(
  record: LedgerRecord,
  { ledger, journal, resolver, retentionMs }: Options,
  canRun: boolean,
): Promise<ResolverVerdict> {
  let verdict: ResolverVerdict = 'unknown';
  try {
    verdict = (await resolver?.({ record })) ?? 'unknown';
    // Without a job that sends it, "not sent" would drop the email silently.
    if (verdict !== 'sent' && !(verdict === 'not-sent' && canRun)) return 'unknown';
    const { key, token } = record;
    const by = 'resolver of the sweeper';
    const found = { key, token, verdict, by, means: 'sweeper', retentionMs } as const;
    const { state } = await resolveEmail({ ledger, journal }, found);
    return state === 'resolved' ? verdict : 'unknown';
  } catch (error) {
    // The doubt may be gone: its job is run again, and the ledger decides.
    const isLost = isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE');
    if (isLost && verdict === 'not-sent' && canRun) return verdict;
    // A resolver that fails has found nothing out: the doubt stays listed.
    return 'unknown';
  }
}
