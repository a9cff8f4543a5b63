import { DEFAULT_RETENTION_MS, fingerprintOf, OptionError } from '@sendonce/core';
import { flushSoon, isKey, writeEntry } from '@sendonce/core/ledger';
import { type Cancelled, cancelEmail } from './cancel-email.ts';
import {
  type CancelOptions,
  checkDelayedEmails,
  checkIterable,
  checkJobOptions,
  checkList,
  checkMethodOptions,
  checkOccurrence,
  DEFAULT_PAST_TOLERANCE_MS,
  type DelayedEmailsOptions,
  type RescheduleOptions,
  type ScheduleOptions,
  storedData,
  type WhichEmail,
} from './delayed-emails-options.ts';
import { loadEmail, type QueueLike } from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { refusePromise } from './job-key.ts';
import { labelFor } from './label.ts';
import { inPages, oneByOne, pageByTick, pageForEach, pagesOf } from './pages.ts';
import { type NewTimes, type Rescheduled, rescheduleEmail } from './reschedule-email.ts';
import {
  buildJobOptions,
  type Plan,
  type Producer,
  requireJobId,
  type Scheduled,
  scheduleEmails,
} from './schedule-email.ts';
import { createStamp, deriveEmailKey, hashParts } from './schedule-stamp.ts';
import { checkNotAfter, dueMs } from './when.ts';

/** Names an email: by the data that its key is derived from, or by the key (22 characters). */
export type EmailRef<K> = K | string;

/**
 * Schedules, reschedules, cancels and finds the delayed emails of one queue: {@link delayedEmails}.
 */
export interface DelayedEmails<D, K extends Partial<D> = D> {
  /**
   * Schedules an email once per key, and answers what it did. A second call finds the first one,
   * also if it comes from another process, at the same moment, or after the job was removed. If the
   * job failed permanently and was kept, the email gets a new job.
   * @throws {OptionError} for a wrong time, data or option. Nothing was scheduled.
   * @throws {ScheduleError} if the queue or the ledger did not answer. It is safe to call again.
   *
   * @example await notices.schedule(notice, { at: new Date('2099-01-01T09:00:00Z') })
   */
  schedule(data: D, options: ScheduleOptions): Promise<Scheduled>;
  /**
   * Schedules a list of emails with shared round trips, 250 at a time. The answers have the order
   * of the list. All emails are checked before the first is scheduled.
   * @throws {OptionError} for a wrong list or email. Nothing was scheduled.
   * @throws {ScheduleError} if the queue or the ledger did not answer. Its `answers` are those so
   *   far. It is safe to call again.
   *
   * @example await notices.scheduleBulk(orders.map((data) => ({ data, delay: 60_000 })))
   */
  scheduleBulk(emails: readonly ({ readonly data: D } & ScheduleOptions)[]): Promise<Scheduled[]>;
  /**
   * Schedules a stream of emails in flat memory, 250 at a time, and yields the answers in its
   * order.
   * A page is checked and scheduled when you ask for its first answer: if you leave the loop, the
   * rest of the stream is not read.
   * @throws {OptionError} for a wrong email. Nothing of its page was scheduled.
   * @throws {ScheduleError} if the queue or the ledger did not answer. It is safe to begin again.
   *
   * @example
   * let done = 0;
   * for await (const { state } of notices.scheduleEach(readOrders())) {
   *   done += 1;
   *   if (state === 'scheduled' && done % 10_000 === 0) console.log(done);
   * }
   */
  scheduleEach(
    emails:
      | Iterable<{ readonly data: D } & ScheduleOptions>
      | AsyncIterable<{ readonly data: D } & ScheduleOptions>,
  ): AsyncGenerator<Scheduled, void, undefined>;
  /**
   * Moves a scheduled email to another time. If its job failed permanently and was kept, the email
   * gets a new job with the same data. An email that is due can be cancelled but no longer moved:
   * the answer is `too-late`. Its `notAfter` stays, unless you give another one: then its job is
   * replaced by one with the same data and the next id.
   * @throws {OptionError} for a wrong time or option, and for a time after the `notAfter` that the
   *   email has. Nothing was moved.
   * @throws {ScheduleError} if the email waits for its children in a flow, or the queue did not
   *   answer, and for a `notAfter` of an email that is part of a flow.
   *
   * @example await notices.reschedule({ orderId: 7, to }, { at: new Date('2099-01-02T09:00:00Z') })
   */
  reschedule(email: EmailRef<K>, options: RescheduleOptions): Promise<Rescheduled>;
  /**
   * Moves a list of emails, 250 at a time. The answers have the order of the list. All times are
   * checked before the first email is moved.
   */
  rescheduleBulk(
    emails: readonly ({ readonly email: EmailRef<K> } & RescheduleOptions)[],
  ): Promise<Rescheduled[]>;
  /**
   * Cancels an email for all copies of its job, or answers `too-late` with the status that says
   * why. A cancellation is final. To send the email after all, schedule it with an `occurrence`. An
   * email that was never scheduled can be cancelled as well, and then cannot be scheduled.
   * @throws {OptionError} for a wrong option. Nothing was cancelled.
   * @throws {LedgerUnavailableError} if the ledger did not answer. It is safe to call again.
   *
   * @example await notices.cancel({ orderId: 7, to }, { by: 'support' })
   */
  cancel(email: EmailRef<K>, options?: CancelOptions): Promise<Cancelled>;
  /** Cancels a list of emails, 250 at a time. The answers have the order of the list. */
  cancelBulk(emails: readonly EmailRef<K>[], options?: CancelOptions): Promise<Cancelled[]>;
  /**
   * The current status of an email. The ledger decides, and the queue where the ledger has no
   * record.
   *
   * @example (await notices.status({ orderId: 7, to })).state === 'sent'
   */
  status(email: EmailRef<K>, options?: WhichEmail): Promise<EmailStatus>;
  /** The statuses of a list of emails, 250 at a time, in the order of the list. */
  statusBulk(emails: readonly EmailRef<K>[], options?: WhichEmail): Promise<EmailStatus[]>;
  /**
   * The email as a job for BullMQ's `FlowProducer.add()`, which does not return whether the job
   * existed before. `status()` does.
   *
   * @example flowProducer.add({ ...(await emails.flowJob(data, { delay: 0 })), children })
   */
  flowJob(data: D, options: ScheduleOptions): Promise<FlowEmail<D>>;
  /** The key of an email: 22 characters, as in the ledger. */
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
 * Schedules, reschedules, cancels and finds the delayed emails of a BullMQ queue by their key. You
 * do not have to handle job ids or kept jobs. The worker's processor must be wrapped in {@link
 * once}, with the same ledger and the same parts of the key.
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * const key = (notice: Pick<Notice, 'orderId'>) => ['notice', notice.orderId];
 * const notices = delayedEmails(queue, { ledger, key });
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

  /** The key of an email, derived from its data as the worker will read them. */
  function deriveStoredKey(email: EmailRef<K>, occurrence: WhichEmail['occurrence']): string {
    checkOccurrence(occurrence);
    if (typeof email === 'string') return checkKey(email, occurrence);
    return deriveEmailKey(selectParts(email), occurrence);
  }

  function selectParts(email: K): unknown {
    const selected = options.key(email);
    refusePromise('key', selected);
    return selected;
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
    const notAfterMs = checkNotAfter(when.notAfter, atMs, 'Nothing was scheduled.');
    checkJobOptions(job);
    const stored = storedData(data);
    // K is the part of D that `key` reads.
    const selectable = stored as unknown as K;
    checkOccurrence(occurrence);
    const selected = selectParts(selectable);
    const key = deriveEmailKey(selected, occurrence);
    if (key !== deriveEmailKey(selectParts(selectable), occurrence)) throw unsteadyKey();
    await options.check?.(stored);
    const payload = options.fingerprint?.(stored);
    refusePromise('fingerprint', payload);
    const fingerprint = options.fingerprint && fingerprintOf(payload, key);
    const parts = hashParts(selected, key);
    return {
      name,
      data: stored,
      atMs,
      jobOptions: { ...options.job, ...job },
      stamp: createStamp({ key, parts, fingerprint, occurrence, notAfterMs }),
    };
  }

  async function schedulePage(
    plans: readonly Plan[],
  ): Promise<readonly PromiseSettledResult<Scheduled>[]> {
    const settled = await scheduleEmails(producer, plans);
    for (const [index, { stamp, data }] of plans.entries()) {
      const one = settled[index];
      if (one?.status !== 'fulfilled' || one.value.state !== 'scheduled') continue;
      const label = labelFor(options.label, data as D);
      writeToJournal(one.value, { token: stamp.token, label });
    }
    flushSoon(journal);
    return settled;
  }

  // With telemetry, BullMQ gives each job the trace of the call that adds it. In a shared page, it
  // would be the trace of another caller.
  const scheduleOne = queue.opts?.telemetry ? pageForEach(schedulePage) : pageByTick(schedulePage);

  /** The new times of an email, checked before any email of a list is moved. */
  function planMove(email: EmailRef<K>, when: RescheduleOptions): { key: string; times: NewTimes } {
    checkMethodOptions('reschedule', when);
    const atMs = dueMs(when, Date.now(), pastToleranceMs);
    const notAfterMs = checkNotAfter(when.notAfter, atMs, 'Nothing was moved.');
    return { key: keyFrom(email, when), times: { atMs, notAfterMs } };
  }

  async function reschedule({ key, times }: ReturnType<typeof planMove>): Promise<Rescheduled> {
    const rescheduled = await rescheduleEmail(producer, key, times);
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
      return scheduleOne(await makePlan(data, when));
    },
    async scheduleBulk(all) {
      checkList('scheduleBulk', all, 'data');
      const plans: Plan[] = [];
      for (const { data, ...when } of all) plans.push(await makePlan(data, when));
      return inPages('scheduleBulk', plans, schedulePage);
    },
    async *scheduleEach(all) {
      checkIterable('scheduleEach', all);
      for await (const page of pagesOf(all)) yield* await emails.scheduleBulk(page);
    },
    async reschedule(email, when) {
      const rescheduled = await reschedule(planMove(email, when));
      flushSoon(journal);
      return rescheduled;
    },
    async rescheduleBulk(all) {
      checkList('rescheduleBulk', all, 'email');
      const moves = all.map(({ email, ...when }) => planMove(email, when as RescheduleOptions));
      const rescheduled = await inPages('rescheduleBulk', moves, oneByOne(reschedule));
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
      const cancelled = await inPages(
        'cancelBulk',
        all,
        oneByOne((email) => cancel(email, options)),
      );
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
      return inPages(
        'statusBulk',
        all,
        oneByOne((email) => emails.status(email, which)),
      );
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
      ? 'Expected the email as its data or as its key of 22 characters, got another string.'
      : 'Expected no "occurrence" beside a key of 22 characters, because it is a part of that key.',
  );
}

function unsteadyKey(): OptionError {
  return new OptionError(
    'key',
    'Expected "key" to select the same parts from the same data, got two different keys: each copy would be ' +
      'another email. Nothing was scheduled. Remove the current time or the random id from "key".',
  );
}
