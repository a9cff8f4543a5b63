import { type FoundOut, resolveEmail } from '../doubts/resolve-email.ts';
import { isSendonceError, type LedgerUnavailableError } from '../errors.ts';
import type { JobRef, LedgerRecord } from '../record.ts';
import { checkFunction, checkNames, type OptionNames } from '../store/check-options.ts';
import { withTimeout } from '../store/with-timeout.ts';
import type { Sources } from './find-emails.ts';
import { type FindQueue, type RetriedJob, retryIfFailed, StillRunningError } from './retry-job.ts';

/**
 * One verdict for many emails in doubt.
 * See {@link resolveEmails}.
 */
export interface ManyVerdicts extends Pick<FoundOut, 'verdict' | 'by' | 'why' | 'retentionMs'> {
  /** Finds the queues whose failed jobs are retried. @default none: no job is retried */
  readonly retryIn?: FindQueue | undefined;
  /** Stops after the emails that are under way. @default never */
  readonly signal?: AbortSignal | undefined;
  /** Called before a verdict is recorded. What it throws ends the run. @default none */
  readonly beforeVerdict?: ((doubt: NamedDoubt) => void) | undefined;
  /** Called after each email. What it throws ends the run. @default none */
  readonly onResult?: ((doubt: NamedDoubt, result: VerdictResult) => void) | undefined;
}

const MANY_NAMES: OptionNames<ManyVerdicts> = {
  verdict: true,
  by: true,
  why: true,
  retentionMs: true,
  retryIn: true,
  signal: true,
  beforeVerdict: true,
  onResult: true,
};

/** An email in doubt. The token names the attempt that the verdict is about. */
export type NamedDoubt = Pick<LedgerRecord, 'key' | 'token' | 'job'>;

/**
 * What happened to one email of many:
 * - the verdict was recorded: `resolved`; `retried`: its failed job runs again; `not-failed`: its
 *   job waits, runs or is completed; `not-retried`: the queue did not answer, retry the job
 *   yourself;
 * - another verdict or outcome was faster: `changed`; `resumed`: it had been resolved as not sent,
 *   and its failed job runs again now;
 * - `left-unsent`: it had been resolved as not sent, and its job is gone, completed or not known
 *   here, so nothing sends it;
 * - it is left in doubt: `no-job`: its job is gone or completed, so nothing would send it;
 *   `no-queue`: its queue is not known here; `queue-unavailable`: its queue did not answer (then
 *   it may also have been resolved as not sent before, and its job is not retried yet);
 *   `known-unsent`: its sender knows that it was not sent, so "sent" is wrong; `unreadable`;
 * - `unavailable`: the ledger did not answer, and it is unknown whether the verdict was recorded.
 *   It is safe to give it again.
 */
export type VerdictResult = (typeof verdictResults)[number];

const verdictResults = [
  'resolved',
  'retried',
  'not-failed',
  'not-retried',
  'changed',
  'resumed',
  'no-job',
  'no-queue',
  'queue-unavailable',
  'known-unsent',
  'left-unsent',
  'unreadable',
  'unavailable',
] as const;

/** An email that needs a look by a person. See {@link ManyResolved}. */
export interface VerdictProblem {
  /** Which email. */
  readonly key: string;
  /** The job that it is sent for. */
  readonly job: JobRef | undefined;
  /** Why. */
  readonly result: VerdictResult;
}

/** What {@link resolveEmails} returns. */
export interface ManyResolved {
  /** How many emails had each result. */
  readonly counts: Readonly<Record<VerdictResult, number>>;
  /** How many verdicts were recorded. */
  readonly resolved: number;
  /** How many emails were not reached, because it was stopped or the ledger did not answer. */
  readonly notReached: number;
  /** The emails that need a look: those left in doubt, `not-retried` and `unavailable`. */
  readonly problems: readonly VerdictProblem[];
  /** Why it ended early: the ledger did not answer. */
  readonly error: LedgerUnavailableError | undefined;
}

const RECORDED: readonly VerdictResult[] = ['resolved', 'retried', 'not-failed', 'not-retried'];
const FINE: ReadonlySet<VerdictResult> = new Set([
  'resolved',
  'retried',
  'not-failed',
  'changed',
  'resumed',
]);

/** More at once are not faster: each one is a command or two to the ledger and to the queue. */
const AT_ONCE = 16;
const QUEUE_ANSWERS_WITHIN_MS = 5_000;

/**
 * Records one verdict for many emails in doubt, and retries their failed jobs.
 *
 * A verdict is about the token that was read: an email whose doubt has ended meanwhile, or that is
 * in doubt again by a later attempt, is not changed. So it is safe to stop it and to run it again.
 * "Not sent" with `retryIn` needs a job that can run: otherwise the email would be dropped
 * silently, and it stays in doubt. If the ledger does not answer, it ends after the emails that
 * are under way.
 * @throws {OptionError} and what `beforeVerdict` or `onResult` throws
 *
 * @example
 * const { doubts } = await chooseDoubts(ledger, { causes: ['401'] });
 * const many = { verdict: 'not-sent', by: 'Ann', why: 'the API key had expired' } as const;
 * const { resolved, problems } = await resolveEmails({ ledger, journal }, doubts, many);
 */
export async function resolveEmails(
  sources: Sources,
  doubts: readonly NamedDoubt[],
  many: ManyVerdicts,
): Promise<ManyResolved> {
  checkNames('resolveEmails()', many, MANY_NAMES);
  checkFunction('retryIn', many.retryIn, true);
  checkFunction('beforeVerdict', many.beforeVerdict, true);
  checkFunction('onResult', many.onResult, true);
  const counts = Object.fromEntries(verdictResults.map((name) => [name, 0])) as Record<
    VerdictResult,
    number
  >;
  const problems: VerdictProblem[] = [];
  const run: Run = { ...sources, ...many, silentQueues: new Set() };
  const waiting = doubts[Symbol.iterator]();
  const ends = new AbortController();
  const isOver = () => ends.signal.aborted || many.signal?.aborted === true;
  let done = 0;
  let error: LedgerUnavailableError | undefined;

  async function tryOne(doubt: NamedDoubt): Promise<VerdictResult> {
    try {
      return await resolveOne(run, doubt);
    } catch (cause) {
      if (isSendonceError(cause, 'SENDONCE_UNREADABLE_RECORD')) return 'unreadable';
      if (!isSendonceError(cause, 'SENDONCE_LEDGER_UNAVAILABLE')) throw cause;
      error ??= cause;
      ends.abort();
      return 'unavailable';
    }
  }

  async function work(): Promise<void> {
    while (!isOver()) {
      const { value: doubt } = waiting.next();
      if (!doubt) return;
      const result = await tryOne(doubt);
      counts[result] += 1;
      if (!FINE.has(result)) problems.push({ key: doubt.key, job: doubt.job, result });
      done += 1;
      many.onResult?.(doubt, result);
    }
  }

  // The emails under way end before an error is thrown, such as that of a wrong option.
  const workers = Array.from({ length: AT_ONCE }, () => work().catch(stopAll));
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  const resolved = RECORDED.reduce((sum, result) => sum + counts[result], 0);
  return { counts, resolved, notReached: doubts.length - done, problems, error };

  function stopAll(reason: unknown): never {
    ends.abort();
    throw reason;
  }
}

interface Run extends Sources, ManyVerdicts {
  /** The queues that did not answer are not asked again. */
  readonly silentQueues: Set<string>;
}

async function resolveOne(run: Run, doubt: NamedDoubt): Promise<VerdictResult> {
  const { ledger, journal, verdict, by, why, retentionMs } = run;
  const record = await ledger.read(doubt.key);
  if (!record && verdict === 'not-sent') return retryUnsent(run, doubt);
  // The ledger takes the same verdict again for a repeat, which would count and tell it twice.
  if (record?.state !== 'in-doubt' || record.token !== doubt.token) return 'changed';
  if (verdict === 'sent' && record.lateNotSent) return 'known-unsent';
  const job = await findJob(run, record.job);
  // If no job can send it, "not sent" would drop the email silently.
  if (verdict === 'not-sent' && typeof job === 'string') return job;
  const { key, token } = record;
  run.beforeVerdict?.(record);
  try {
    const reply = await resolveEmail(
      { ledger, journal },
      { key, token, verdict, by, why, retentionMs },
    );
    if (reply.state === 'not-in-doubt') return 'changed';
  } catch (error) {
    // The doubt may be resolved: its job is retried, and the ledger decides.
    if (verdict === 'not-sent') await retryFound(run, record.job, job);
    throw error;
  }
  return retryFound(run, record.job, job);
}

/**
 * The email was resolved as not sent before: by another person, or by a run of this one that was
 * killed before it could retry the job.
 */
async function retryUnsent(run: Run, doubt: NamedDoubt): Promise<VerdictResult> {
  const history = doubt.job ? [] : ((await run.journal?.history(doubt.key)) ?? []);
  const ref = doubt.job ?? history.findLast(({ job }) => job !== undefined)?.job;
  const job = await findJob(run, ref);
  if (job === 'no-job' || job === 'no-queue') return 'left-unsent';
  const result = await retryFound(run, ref, job);
  if (result === 'not-retried') return 'queue-unavailable';
  return result === 'retried' ? 'resumed' : 'changed';
}

/** Undefined: no job is retried. A text: why there is none that can run. */
type FoundJob = RetriedJob | 'no-job' | 'no-queue' | 'queue-unavailable' | undefined;

async function findJob(run: Run, ref: JobRef | undefined): Promise<FoundJob> {
  if (!run.retryIn) return undefined;
  const queue = ref && run.retryIn(ref.queue);
  if (!ref || !queue) return ref ? 'no-queue' : 'no-job';
  if (run.silentQueues.has(ref.queue)) return 'queue-unavailable';
  try {
    const job = await inTime(queue.getJob(ref.id));
    const canRun =
      job && (run.verdict === 'sent' || (await inTime(job.getState())) !== 'completed');
    return canRun ? job : 'no-job';
  } catch {
    run.silentQueues.add(ref.queue);
    return 'queue-unavailable';
  }
}

/** Retries the job after the verdict. */
async function retryFound(
  run: Run,
  ref: JobRef | undefined,
  job: FoundJob,
): Promise<'resolved' | 'retried' | 'not-failed' | 'not-retried'> {
  if (job === 'queue-unavailable') return 'not-retried';
  // An email that was sent needs no job.
  if (job === undefined || typeof job === 'string') return 'resolved';
  try {
    return (await inTime(retryIfFailed(job))) ? 'retried' : 'not-failed';
  } catch (error) {
    if (!(error instanceof StillRunningError)) run.silentQueues.add(ref!.queue);
    return 'not-retried';
  }
}

/** A client that waits for its server to come back would hold up all the others. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return withTimeout(answer, QUEUE_ANSWERS_WITHIN_MS, () => {
    throw new Error(`The queue did not answer within ${QUEUE_ANSWERS_WITHIN_MS} ms.`);
  });
}
