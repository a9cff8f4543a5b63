import {
  DEFAULT_RETENTION_MS,
  fingerprintOf,
  type JournalEntry,
  OptionError,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { type Cancelled, cancelEmail } from './cancel-email.ts';
import {
  type CancelOptions,
  checkDelayedEmails,
  checkJobOptions,
  checkOccurrence,
  DEFAULT_PAST_TOLERANCE_MS,
  type DelayedEmailsOptions,
  type ScheduleOptions,
  storedData,
  type WhichEmail,
} from './delayed-emails-options.ts';
import { look, type QueueLike } from './email-jobs.ts';
import { type EmailStatus, statusOf } from './email-status.ts';
import { labelOf } from './label.ts';
import { keyFrom, partsOf } from './mark.ts';
import { inPages } from './pages.ts';
import { type Rescheduled, rescheduleEmail } from './reschedule-email.ts';
import {
  addOptions,
  freeIdOf,
  type Plan,
  type Producer,
  type Scheduled,
  scheduleEmail,
} from './schedule-email.ts';
import { dueMs, type When } from './when.ts';

/** An email: what its key is made of, or the key itself (22 characters, as the ledger shows it). */
export type EmailRef<K> = K | string;

/** Schedules, moves, cancels and finds the delayed emails of one queue. */
export interface DelayedEmails<D, K extends Partial<D> = D> {
  /**
   * Schedules an email, once: a second call for the same key finds the first, whoever makes it, also
   * at the same moment, and also where the job has been removed since. An email whose job failed for
   * good and was kept gets a new job.
   * @throws {OptionError} for a wrong time, data or option; nothing was scheduled.
   * @throws {ScheduleError} when queue or ledger did not answer: call it again.
   */
  schedule(data: D, options: ScheduleOptions): Promise<Scheduled>;
  /** Many at once, in pages; answers in the same order. All are checked before the first is scheduled. */
  scheduleBulk(emails: readonly ({ readonly data: D } & ScheduleOptions)[]): Promise<Scheduled[]>;
  /**
   * Moves an email that waits for its time. One whose job failed for good and was kept gets a new job
   * with the same data. Once it is due it can be cancelled but no longer moved: `too-late`.
   * @throws {ScheduleError} when it waits for its children in a flow, or the queue did not answer.
   */
  reschedule(email: EmailRef<K>, options: When & WhichEmail): Promise<Rescheduled>;
  rescheduleBulk(
    emails: readonly ({ readonly email: EmailRef<K> } & When & WhichEmail)[],
  ): Promise<Rescheduled[]>;
  /**
   * Forbids an email, by the ledger's own compare-and-set: either it wins, for every copy of the job,
   * or it is `too-late`, and says why. Also an email that was never scheduled can be cancelled; it
   * cannot be scheduled then. To send after all, schedule it with an `occurrence`.
   */
  cancel(email: EmailRef<K>, options?: CancelOptions): Promise<Cancelled>;
  cancelBulk(emails: readonly EmailRef<K>[], options?: CancelOptions): Promise<Cancelled[]>;
  /** What is known about an email now. */
  status(email: EmailRef<K>, options?: WhichEmail): Promise<EmailStatus>;
  statusBulk(emails: readonly EmailRef<K>[], options?: WhichEmail): Promise<EmailStatus[]>;
  /**
   * The email as a job for `FlowProducer.add()`: `{ ...(await emails.flowJob(data, when)), children }`.
   * A flow does not tell whether that job existed; `status()` does.
   */
  flowJob(data: D, options: ScheduleOptions): Promise<FlowEmail<D>>;
  /** The key of an email: 22 characters, as the ledger has it. */
  keyOf(email: EmailRef<K>, options?: WhichEmail): string;
}

/** A job as `FlowProducer.add()` takes it. */
export interface FlowEmail<D> {
  readonly name: string;
  readonly queueName: string;
  readonly data: D;
  readonly opts: object;
}

/**
 * The delayed emails of a queue: a user says what email, when, and under which key; job ids, kept jobs
 * and the ledger are seen to. The worker's processor goes through `once()`, with the same ledger and
 * the same parts of the key.
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * const notices = delayedEmails(queue, { ledger, key: (notice: Notice) => ['notice', notice.orderId] });
 * await notices.schedule({ orderId: 7 }, { at: new Date('2026-12-01T09:00:00Z') });
 * await notices.cancel({ orderId: 7 });
 */
export function delayedEmails<D, K extends Partial<D> = D>(
  queue: QueueLike<D>,
  options: DelayedEmailsOptions<D, K>,
): DelayedEmails<D, K> {
  checkDelayedEmails(queue, options);
  const {
    ledger,
    journal,
    name = 'email',
    retentionMs = DEFAULT_RETENTION_MS,
    pastToleranceMs = DEFAULT_PAST_TOLERANCE_MS,
  } = options;
  const producer: Producer = { queue, ledger };

  /** Of an email as the worker will read it. */
  function keyOfStored(email: EmailRef<K>, occurrence: WhichEmail['occurrence']): string {
    checkOccurrence(occurrence);
    if (typeof email === 'string') return checkKey(email, occurrence);
    return keyFrom(options.key(email), occurrence);
  }

  const keyOf = (email: EmailRef<K>, { occurrence }: WhichEmail = {}) =>
    keyOfStored(storedData(email), occurrence);

  async function planOf(data: D, when: ScheduleOptions): Promise<Plan> {
    const atMs = dueMs(when, Date.now(), pastToleranceMs);
    const { occurrence, job } = when;
    checkJobOptions(job);
    const stored = storedData(data);
    // What a key reads of the data, the data has.
    const selectable = stored as unknown as K;
    const key = keyOfStored(selectable, occurrence);
    if (key !== keyOfStored(selectable, occurrence)) throw unsteadyKey();
    await options.check?.(stored);
    const { fingerprint } = options;
    return {
      name,
      data: stored,
      atMs,
      jobOptions: { ...options.job, ...job },
      mark: {
        token: createToken(),
        key,
        parts: partsOf(options.key(selectable), key),
        ...(fingerprint && { fingerprint: fingerprintOf(fingerprint(stored), key) }),
        ...(occurrence !== undefined && { occurrence }),
      },
    };
  }

  async function schedule(plan: Plan): Promise<Scheduled> {
    const answer = await scheduleEmail(producer, plan);
    if (answer.state === 'scheduled') {
      tell(answer, { token: plan.mark.token, label: labelOf(options.label, plan.data as D) });
    }
    return answer;
  }

  function tell(
    {
      key,
      state,
      at,
      jobId,
    }: Extract<Scheduled | Rescheduled, { state: 'scheduled' | 'rescheduled' }>,
    more: Partial<JournalEntry> = {},
  ): void {
    const by = `${queue.name}:${jobId}`;
    journal?.write({ key, type: state, atMs: Date.now(), by, dueMs: at.getTime(), ...more });
  }

  const emails: DelayedEmails<D, K> = {
    keyOf,
    async schedule(data, when) {
      return schedule(await planOf(data, when));
    },
    async scheduleBulk(all) {
      const plans: Plan[] = [];
      for (const { data, ...when } of all) plans.push(await planOf(data, when));
      return inPages(plans, schedule);
    },
    async reschedule(email, when) {
      const atMs = dueMs(when, Date.now(), pastToleranceMs);
      const answer = await rescheduleEmail(producer, keyOf(email, when), atMs);
      if (answer.state === 'rescheduled') tell(answer);
      return answer;
    },
    rescheduleBulk: (all) =>
      inPages(all, ({ email, ...when }) => emails.reschedule(email, when as When & WhichEmail)),
    async cancel(email, { by, ...which } = {}) {
      const answer = await cancelEmail(producer, { key: keyOf(email, which), by, retentionMs });
      const { key, state } = answer;
      if (state === 'cancelled') journal?.write({ key, type: state, atMs: Date.now(), by });
      return answer;
    },
    cancelBulk: (all, how) => inPages(all, (email) => emails.cancel(email, how)),
    async status(email, which) {
      const key = keyOf(email, which);
      return statusOf(key, await look(queue, ledger, key));
    },
    statusBulk: (all, which) => inPages(all, (email) => emails.status(email, which)),
    async flowJob(data, when) {
      const plan = await planOf(data, when);
      const found = await look(queue, ledger, plan.mark.key);
      const opts = addOptions(plan, freeIdOf(found, plan.mark.key));
      return { name, queueName: queue.name, data, opts };
    },
  };
  return emails;
}

function checkKey(key: string, occurrence: unknown): string {
  if (/^[\w-]{22}$/.test(key) && occurrence === undefined) return key;
  throw new OptionError(
    occurrence === undefined ? 'email' : 'occurrence',
    occurrence === undefined
      ? 'Expected the email as data, or as its key of 22 characters, got another string.'
      : 'Expected no "occurrence" beside a key of 22 characters: it is a part of that key.',
  );
}

function unsteadyKey(): OptionError {
  return new OptionError(
    'key',
    'Expected "key" to select the same from the same data, got two different keys: a time of now, a ' +
      'random id? Each copy would be an email of its own. Nothing was scheduled.',
  );
}
