import { deriveKey, type Ledger } from '@sendonce/core';
import { retryWhileUnavailable } from '@sendonce/core/ledger';
import type { Queue } from 'bullmq';
import type { Deliveries } from './deliveries.ts';
import { type Email, jobIdsOf, keyOf } from './email.ts';
import type { History, HistoryEvent } from './history.ts';

/** What happened to an email. Each value after the first five is a violation. */
export type Verdict =
  | 'sent once'
  | 'rejected'
  /** Its processor decided not to send, at each run that completed. */
  | 'skipped'
  | 'cancelled'
  /**
   * The outcome is unknown, and people can see that: listed by the ledger, or a failed job if there
   * is none.
   */
  | 'in doubt, listed'
  | 'sent twice'
  | 'lost'
  | 'left after it was cancelled'
  | 'the record is wrong';

export interface Violation {
  readonly email: number;
  readonly verdict: Verdict;
  /** What was found, in a sentence. */
  readonly found: string;
  /** What happened to it, and the faults that struck meanwhile. */
  readonly history: readonly HistoryEvent[];
}

/** What `--json` prints. */
export interface Result {
  readonly emails: number;
  readonly sentOnce: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly inDoubtListed: number;
  readonly violations: readonly Violation[];
  readonly seed: number;
}

export interface Evidence {
  readonly emails: readonly Email[];
  readonly deliveries: Pick<Deliveries, 'countOf'>;
  readonly queue: Queue;
  readonly history: History;
  /** Missing for a system without one. */
  readonly ledger: Ledger | undefined;
  /** The numbers of the emails whose cancellation was acknowledged. */
  readonly cancelled?: ReadonlySet<number> | undefined;
}

export interface Judged {
  readonly verdict: Verdict;
  readonly found: string;
}

/**
 * Reads what the mail server received, what the ledger says and what BullMQ says, for each email.
 */
export async function checkAll(evidence: Evidence, seed: number): Promise<Result> {
  const { emails, ledger, history } = evidence;
  const listed = ledger ? await patiently(() => listDoubts(ledger)) : new Set<string>();
  const counts = new Map<Verdict, number>();
  const violations: Violation[] = [];
  for (const email of emails) {
    const { verdict, found } = await judge(email, evidence, listed);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    if (!acceptable.has(verdict)) {
      violations.push({ email: email.number, verdict, found, history: history.of(email.number) });
    }
  }
  return {
    emails: emails.length,
    sentOnce: counts.get('sent once') ?? 0,
    rejected: counts.get('rejected') ?? 0,
    skipped: counts.get('skipped') ?? 0,
    cancelled: counts.get('cancelled') ?? 0,
    inDoubtListed: counts.get('in doubt, listed') ?? 0,
    violations,
    seed,
  };
}

const acceptable: ReadonlySet<Verdict> = new Set([
  'sent once',
  'rejected',
  'skipped',
  'cancelled',
  'in doubt, listed',
]);

/** A machine at its limit may answer late: the verdict must not depend on that. */
function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return retryWhileUnavailable(ask, 60_000);
}

async function listDoubts(ledger: Ledger): Promise<Set<string>> {
  const listed = new Set<string>();
  for await (const { key } of ledger.list({ state: 'in-doubt' })) listed.add(key);
  return listed;
}

/** Judges one email. `listed` has the keys that the ledger lists as in doubt. */
export async function judge(
  email: Email,
  { deliveries, queue, ledger, cancelled }: Omit<Evidence, 'emails' | 'history'>,
  listed: ReadonlySet<string>,
): Promise<Judged> {
  const left = deliveries.countOf(email.number);
  const jobs = await Promise.all(jobIdsOf(email).map(async (id) => queue.getJobState(id)));
  const key = deriveKey(keyOf(email));
  const state = ledger && ((await patiently(() => ledger.read(key)))?.state ?? 'absent');
  const found = [
    left === 1 ? 'it left once' : `it left ${left} times`,
    ...(state === undefined ? [] : [`the ledger says ${state}`]),
    `its jobs are ${[...new Set(jobs)].join(', ')}`,
  ].join('; ');
  const is = (verdict: Verdict): Judged => ({ verdict, found });

  if (left > 1) return is('sent twice');
  if (cancelled?.has(email.number) && left > 0) return is('left after it was cancelled');
  if (state === undefined) {
    if (left === 1) return is('sent once');
    // A person sees a failed job, and nothing else.
    return is(jobs.includes('failed') ? 'in doubt, listed' : 'lost');
  }
  switch (state) {
    case 'sent':
      return is(left === 1 ? 'sent once' : 'lost');
    case 'skipped':
      return is(left === 0 && email.skips ? 'skipped' : 'the record is wrong');
    case 'cancelled':
      return is(
        left === 0 && email.cancelledMs !== undefined ? 'cancelled' : 'the record is wrong',
      );
    case 'rejected':
      return is(left === 0 ? 'rejected' : 'the record is wrong');
    case 'in-doubt':
      if (!listed.has(key)) return is('the record is wrong');
      // A job that completed would tell its producer that the email left, or that it was skipped.
      if (jobs.includes('completed') && !email.skips) return is('the record is wrong');
      return is('in doubt, listed');
    default:
      if (cancelled?.has(email.number)) return is('the record is wrong');
      // A claim that comes late wins over the record of a skip, and is given back.
      if (left === 0 && email.skips && jobs.includes('completed')) return is('skipped');
      return is(left === 0 ? 'lost' : 'the record is wrong');
  }
}
