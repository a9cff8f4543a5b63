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

/** The options of {@link doubtSweeper}. */
export interface DoubtSweeperOptions {
  /** The ledger that the workers use. */
  readonly ledger: Ledger;
  /** Keeps which emails were resolved. @default none */
  readonly journal?: Journal | undefined;
  /**
   * Finds out about each email in doubt, for example by a look-up at the provider. If it fails, the
   * email stays in doubt.
   * @default none
   */
  readonly resolver?: Resolver | undefined;
  /**
   * For how long the provider recognises the idempotency key, in milliseconds: the value given to
   * {@link once}. Within that time of its dispatch, the job of an email in doubt is retried.
   * @default none: jobs are retried only after a verdict of `resolver`
   */
  readonly replayWithinMs?: number | undefined;
  /** How long a resolved outcome is kept, in milliseconds. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
  /** The time between two sweeps, in milliseconds. @default 60_000 (1 minute) */
  readonly intervalMs?: number | undefined;
  /**
   * Called after each periodic sweep, also after one that failed (`swept.error`). If it throws or
   * rejects, a process warning is emitted and the sweeper continues.
   * @default none
   */
  readonly onSwept?: ((swept: Swept) => void) | ((swept: Swept) => Promise<void>) | undefined;
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

/** What one sweep of {@link DoubtSweeper} did with the emails of its queue. */
export interface Swept {
  /** If true, another process is sweeping, and this sweep did nothing. */
  readonly busy?: true | undefined;
  /** How many emails the resolver found to be sent. */
  readonly sent: number;
  /** How many emails the resolver found not to be sent. */
  readonly notSent: number;
  /** How many failed jobs were retried. */
  readonly retried: number;
  /**
   * The emails that are still in doubt and have no job that will run again: a person must resolve
   * them.
   */
  readonly held: readonly LedgerRecord[];
  /** Why the sweep failed. */
  readonly error?: unknown;
}

/** Sweeps the emails in doubt of one queue, until it is closed: {@link doubtSweeper}. */
export interface DoubtSweeper extends AsyncDisposable {
  /** Sweeps once, now. @throws {LedgerUnavailableError} if the ledger did not answer. */
  sweep(): Promise<Swept>;
  /**
   * Ends the periodic sweeps, and a sweep under way after the email that it is asking about: waits
   * for the resolver. `await using` calls it as well.
   */
  close(): Promise<void>;
}

const nothingSwept: Swept = { sent: 0, notSent: 0, retried: 0, held: [] };

const LEASE_MS = 30_000;

/**
 * Resolves emails in doubt whose job BullMQ will not run again: after its second stall, a job fails
 * without being run. The sweeper asks the resolver about each email, and retries its job after a
 * verdict or while the provider still recognises its key. Every worker process may run a sweeper:
 * only one sweeps at a time. The emails that remain are in `held`: log them, or alert a person.
 *
 * The timer does not keep the process running.
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * const replayWithinMs = transport.windowMs; // of a provider transport of @sendonce/providers
 * await using sweeper = doubtSweeper(queue, { ledger, replayWithinMs, onSwept: console.log });
 */
export function doubtSweeper(queue: QueueOfJobs, options: DoubtSweeperOptions): DoubtSweeper {
  checkNames('doubtSweeper()', options, OPTION_NAMES);
  const { ledger, intervalMs = 60_000, retentionMs = DEFAULT_RETENTION_MS } = options;
  checkLedger(ledger);
  checkFunction('resolver', options.resolver, true);
  checkFunction('onSwept', options.onSwept, true);
  checkTimer('intervalMs', intervalMs);
  checkDuration('retentionMs', retentionMs);
  if (options.replayWithinMs !== undefined) checkDuration('replayWithinMs', options.replayWithinMs);

  let running: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  let isClosed = false;
  const run = { ...options, retentionMs, isClosed: () => isClosed };
  const sweep = () => {
    underWay += 1;
    const swept = running.then(() => sweepAlone(queue, run)).finally(() => (underWay -= 1));
    running = swept.catch(() => {});
    return swept;
  };
  const timer = setInterval(() => void sweepByTime(), intervalMs).unref();

  async function sweepByTime(): Promise<void> {
    // A sweep that takes longer than the interval counts as the next one, too.
    if (underWay > 0) return;
    const swept = await sweep().catch((error: unknown): Swept => ({ ...nothingSwept, error }));
    try {
      await options.onSwept?.(swept);
    } catch (error) {
      warnOfCallback(error);
    }
  }

  async function close(): Promise<void> {
    clearInterval(timer);
    isClosed = true;
    await running;
  }

  return { sweep, close, [Symbol.asyncDispose]: close };
}

type Options = DoubtSweeperOptions & {
  readonly retentionMs: number;
  readonly isClosed: () => boolean;
};

/** Sweeps under a claim as its lock. If the sweeper dies, the lock ends with its lease. */
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
  // Two sweepers at once would do no harm: every write names the token of its doubt.
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
    if (options.isClosed()) break;
    // The sweeper of another queue handles its own emails.
    const jobId = record.job?.queue === queue.name ? record.job.id : undefined;
    if (jobId === undefined) continue;
    const job = await queue.getJob(jobId);
    const canRun = job !== undefined && (await job.getState()) !== 'completed';
    const verdict = await findVerdict(record, options, canRun);
    sent += Number(verdict === 'sent');
    notSent += Number(verdict === 'not-sent');
    // An estimate by this clock. The worker asks the ledger, whose clock decides.
    const replayable = Date.now() - record.atMs < (options.replayWithinMs ?? 0);
    if (verdict === 'unknown' && !(replayable && canRun)) held.push(record);
    else if (job && (await retryIfFailed(job).catch(() => false))) retried += 1;
  }
  return { sent, notSent, retried, held };
}

/** Asks the resolver, and resolves the doubt by its verdict. */
async function findVerdict(
  record: LedgerRecord,
  { ledger, journal, resolver, retentionMs }: Options,
  canRun: boolean,
): Promise<ResolverVerdict> {
  let verdict: ResolverVerdict = 'unknown';
  try {
    verdict = (await resolver?.({ record })) ?? 'unknown';
    // If no job can send it, "not sent" would drop the email silently.
    if (verdict !== 'sent' && !(verdict === 'not-sent' && canRun)) return 'unknown';
    const { key, token } = record;
    const by = 'resolver of the sweeper';
    const found = { key, token, verdict, by, means: 'sweeper', retentionMs } as const;
    const { state } = await resolveEmail({ ledger, journal }, found);
    return state === 'resolved' ? verdict : 'unknown';
  } catch (error) {
    // The doubt may be resolved: its job is retried, and the ledger decides.
    const isLost = isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE');
    if (isLost && verdict === 'not-sent' && canRun) return verdict;
    // If the resolver fails, the email stays in doubt and listed.
    return 'unknown';
  }
}
