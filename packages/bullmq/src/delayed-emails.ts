import { DEFAULT_RETENTION_MS, fingerprintOf, OptionError } from '@sendonce/core';
import { flushSoon, isKey, writeEntry } from '@sendonce/core/ledger';
import { type Cancelled, cancelEmail } from './cancel-email.ts';
import {
  type CancelOptions,
  checkDelayedEmails,
  checkJobOptions,
  checkList,
  checkMethodOptions,
  checkOccurrence,
  DEFAULT_PAST_TOLERANCE_MS,
  type DelayedEmailsOptions,
  type ScheduleOptions,
  storedData,
  type WhichEmail,
} from './delayed-emails-options.ts';
import { loadEmail, type QueueLike } from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { refusePromise } from './job-key.ts';
import { labelFor } from './label.ts';
import { inPages } from './pages.ts';
import { type Rescheduled, rescheduleEmail } from './reschedule-email.ts';
import {
  buildJobOptions,
  type Plan,
  type Producer,
  requireJobId,
  type Scheduled,
  scheduleEmail,
} from './schedule-email.ts';
import { createStamp, deriveEmailKey, hashParts } from './schedule-stamp.ts';
import { dueMs, type When } from './when.ts';

/** An email: what its key is made of, or the key itself (22 characters, as the ledger shows it). */
export type EmailRef<K> = K | string;

/** Schedules, moves, cancels and finds the delayed emails of one queue. */
export interface DelayedEmails<D, K extends Partial<D> = D> {
  /**
   * Schedules an email, once. A second call for the same key finds the first: from another process,
   * at the same moment, and after the job was removed. An email whose job failed permanently and
   * was kept gets a new job.
   * @throws {OptionError} for a wrong time, data or option; nothing was scheduled.
   * @throws {ScheduleError} when queue or ledger did not answer: call it again.
   */
  schedule(data: D, options: ScheduleOptions): Promise<Scheduled>;
  /**
   * Many at once, in pages; answers in the same order. All are checked before the first is
   * scheduled.
   */
  scheduleBulk(emails: readonly ({ readonly data: D } & ScheduleOptions)[]): Promise<Scheduled[]>;
  /**
   * Moves an email that waits for its time. One whose job failed permanently and was kept gets a
   * new job with the same data. Once it is due it can be cancelled but no longer moved: `too-late`.
   * @throws {ScheduleError} when it waits for its children in a flow, or the queue did not answer.
   */
  reschedule(email: EmailRef<K>, options: When & WhichEmail): Promise<Rescheduled>;
  rescheduleBulk(
    emails: readonly ({ readonly email: EmailRef<K> } & When & WhichEmail)[],
  ): Promise<Rescheduled[]>;
  /**
   * Forbids an email, by the ledger's own compare-and-set: either it wins, for every copy of the
   * job, or it is `too-late`, and says why. An email that was never scheduled can be cancelled,
   * too; it cannot be scheduled then. To send after all, schedule it with an `occurrence`.
   */
  cancel(email: EmailRef<K>, options?: CancelOptions): Promise<Cancelled>;
  cancelBulk(emails: readonly EmailRef<K>[], options?: CancelOptions): Promise<Cancelled[]>;
  /** What is known about an email now. */
  status(email: EmailRef<K>, options?: WhichEmail): Promise<EmailStatus>;
  statusBulk(emails: readonly EmailRef<K>[], options?: WhichEmail): Promise<EmailStatus[]>;
  /**
   * The email as a job for `FlowProducer.add()`. A flow does not tell whether that job existed;
   * `status()` does.
   *
   * @example flowProducer.add({ ...(await emails.flowJob(data, { delay: 0 })), children })
   */
  flowJob(data: D, options: ScheduleOptions): Promise<FlowEmail<D>>;
  /** The key of an email: 22 characters, as the ledger has it. */
  keyOf(email: EmailRef<K>, options?: WhichEmail): string;
}

type DatedEmail = Extract<Scheduled | Rescheduled, { state: 'scheduled' | 'rescheduled' }>;

/** A job as `FlowProducer.add()` takes it. */
export interface FlowEmail<D> {
  readonly name: string;
  readonly queueName: string;
  readonly data: D;
  readonly opts: object;
}

/**
 * The delayed emails of a queue: you say what email, when, and under which key. You do not have to
 * handle job ids or kept jobs. The worker's processor goes through `once()`, with the same ledger
 * and the same parts of the key.
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

  /** The key of an email as the worker will read it. */
  function deriveStoredKey(email: EmailRef<K>, occurrence: WhichEmail['occurrence']): string {
    checkOccurrence(occurrence);
    if (typeof email === 'string') return checkKey(email, occurrence);
    const selected = options.key(email);
    refusePromise('key', selected);
    return deriveEmailKey(selected, occurrence);
  }

  function keyOf(email: EmailRef<K>, which?: WhichEmail): string {
    checkMethodOptions('keyOf', which);
    return keyFrom(email, which);
  }

  const keyFrom = (email: EmailRef<K>, which?: WhichEmail) =>
    deriveStoredKey(storedData(email), which?.occurrence);

  async function makePlan(data: D, when: ScheduleOptions): Promise<Plan> {
    checkMethodOptions('schedule', when);
    const atMs = dueMs(when, Date.now(), pastToleranceMs);
    const { occurrence, job } = when;
    checkJobOptions(job);
    const stored = storedData(data);
    // What a key reads of the data, the data has.
    const selectable = stored as unknown as K;
    const key = deriveStoredKey(selectable, occurrence);
    if (key !== deriveStoredKey(selectable, occurrence)) throw unsteadyKey();
    await options.check?.(stored);
    const payload = options.fingerprint?.(stored);
    refusePromise('fingerprint', payload);
    const fingerprint = options.fingerprint && fingerprintOf(payload, key);
    const parts = hashParts(options.key(selectable), key);
    return {
      name,
      data: stored,
      atMs,
      jobOptions: { ...options.job, ...job },
      stamp: createStamp({ key, parts, fingerprint, occurrence }),
    };
  }

  async function schedule(plan: Plan): Promise<Scheduled> {
    const scheduled = await scheduleEmail(producer, plan);
    if (scheduled.state === 'scheduled') {
      const label = labelFor(options.label, plan.data as D);
      writeToJournal(scheduled, { token: plan.stamp.token, label });
    }
    return scheduled;
  }

  async function reschedule(email: EmailRef<K>, when: When & WhichEmail): Promise<Rescheduled> {
    checkMethodOptions('reschedule', when);
    const atMs = dueMs(when, Date.now(), pastToleranceMs);
    const rescheduled = await rescheduleEmail(producer, keyFrom(email, when), atMs);
    if (rescheduled.state === 'rescheduled') writeToJournal(rescheduled);
    return rescheduled;
  }

  async function cancel(email: EmailRef<K>, options?: CancelOptions): Promise<Cancelled> {
    checkMethodOptions('cancel', options);
    const { by, ...which } = options ?? {};
    const cancelled = await cancelEmail(producer, { key: keyFrom(email, which), by, retentionMs });
    const { key, state } = cancelled;
    if (state === 'cancelled') writeEntry(journal, { key, type: state, atMs: Date.now(), by });
    return cancelled;
  }

  function writeToJournal(
    { key, state, at, jobId }: DatedEmail,
    details: { token?: string; label?: string | undefined } = {},
  ): void {
    const job = { queue: queue.name, id: jobId };
    const dueMs = at.getTime();
    writeEntry(journal, { key, type: state, atMs: Date.now(), job, dueMs, ...details });
  }

  const emails: DelayedEmails<D, K> = {
    keyOf,
    async schedule(data, when) {
      const scheduled = await schedule(await makePlan(data, when));
      flushSoon(journal);
      return scheduled;
    },
    async scheduleBulk(all) {
      checkList('scheduleBulk', all, 'data');
      const plans: Plan[] = [];
      for (const { data, ...when } of all) plans.push(await makePlan(data, when));
      const scheduled = await inPages(plans, schedule);
      flushSoon(journal);
      return scheduled;
    },
    async reschedule(email, when) {
      const rescheduled = await reschedule(email, when);
      flushSoon(journal);
      return rescheduled;
    },
    async rescheduleBulk(all) {
      checkList('rescheduleBulk', all, 'email');
      const rescheduled = await inPages(all, ({ email, ...when }) =>
        reschedule(email, when as When & WhichEmail),
      );
      flushSoon(journal);
      return rescheduled;
    },
    async cancel(email, options) {
      const cancelled = await cancel(email, options);
      flushSoon(journal);
      return cancelled;
    },
    async cancelBulk(all, options) {
      checkList('cancelBulk', all);
      checkMethodOptions('cancel', options);
      const cancelled = await inPages(all, (email) => cancel(email, options));
      flushSoon(journal);
      return cancelled;
    },
    async status(email, which) {
      checkMethodOptions('status', which);
      const key = keyFrom(email, which);
      return toStatus(key, await loadEmail(queue, ledger, key));
    },
    async statusBulk(all, which) {
      checkList('statusBulk', all);
      checkMethodOptions('status', which);
      return inPages(all, (email) => emails.status(email, which));
    },
    async flowJob(data, when) {
      const plan = await makePlan(data, when);
      const { key } = plan.stamp;
      const opts = buildJobOptions(plan, requireJobId(await loadEmail(queue, ledger, key), key));
      return { name, queueName: queue.name, data, opts };
    },
  };
  return emails;
}

function checkKey(key: string, occurrence: unknown): string {
  if (isKey(key) && occurrence === undefined) return key;
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
      'random id? Each copy would be another email. Nothing was scheduled.',
  );
}
