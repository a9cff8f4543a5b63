import type { PerformEvent } from './perform-options.ts';
import type { JobRef } from './record.ts';
import { catchRejection, warnOfCallback } from './warn.ts';

/**
 * What happened to emails, for people: histories, counts, and how to find an email by what people
 * know of it.
 *
 * The ledger decides, the journal only tells. It is written after the fact, some milliseconds later
 * and many entries in one command, and no email waits for it: a worker that is killed takes its
 * last entries with it, and a journal that cannot be written is a process warning.
 *
 * @example const journal: Journal = redisJournal(client); // of @sendonce/redis
 * {@link JournalEntry}
 */
export interface Journal {
  /** Takes an entry, which is written soon. Never throws, and no email waits for it. */
  write(entry: JournalEntry): void;
  /** Resolves when everything that was taken is kept, or was given up with a warning. */
  flush(): Promise<void>;
  /** One email's entries, oldest first: the last 100. */
  history(key: string): Promise<readonly JournalEntry[]>;
  /** The keys of the emails with this label, Message-ID, or `queue:jobId`; the last 50. */
  find(text: string): Promise<readonly string[]>;
  /** How often each step happened, hour by hour, oldest first; hours without any are left out. */
  counts(fromMs: number): Promise<readonly HourCounts[]>;
}

/**
 * Gives the journal an entry, by {@link Journal.write}. If the journal throws, that is a process
 * warning: what the entry reports has happened already, and its caller must receive that result and
 * not the error of the journal.
 */
export function writeEntry(journal: Journal | undefined, entry: JournalEntry): void {
  callSafely(() => journal?.write(entry));
}

/**
 * Begins to write what the journal has taken, and waits for nothing: the caller may be about to
 * close its client, and a command that is sent before QUIT is executed.
 * See {@link Journal.flush}.
 */
export function flushSoon(journal: Journal | undefined): void {
  callSafely(() => journal?.flush());
}

/** If the call throws or rejects, that is a process warning, and its caller continues. */
function callSafely(call: () => unknown): void {
  try {
    catchRejection(call(), warnOfCallback);
  } catch (error) {
    warnOfCallback(error);
  }
}

/** One step of one email. */
export interface JournalEntry {
  /** Which email. */
  readonly key: string;
  /** What happened. */
  readonly type: JournalType;
  /** When, by the clock of who writes it: ms since 1970. */
  readonly atMs: number;
  /** Which attempt. */
  readonly token?: string | undefined;
  /** The job that the step was made for. */
  readonly job?: JobRef | undefined;
  /** Who made the step, for people: who cancelled or resolved the email. */
  readonly by?: string | undefined;
  /** Which process: `host:pid`. @default this one */
  readonly worker?: string | undefined;
  /**
   * What people call the email: an order number. Stored as it is, so never an address unless you
   * want that.
   */
  readonly label?: string | undefined;
  /** The Message-ID of the email, with its angle brackets. */
  readonly messageId?: string | undefined;
  /** Why: a code, or what a person gave as the reason. */
  readonly note?: string | undefined;
  /**
   * Of `scheduled` and `rescheduled`: when it is due, ms since 1970. Its history is kept from then
   * on.
   */
  readonly dueMs?: number | undefined;
}

/**
 * `cancelled`: that it was cancelled, and each job that has met the cancellation.
 * See {@link JournalEntry.type}.
 */
export type JournalType =
  | PerformEvent['type']
  | 'scheduled'
  | 'rescheduled'
  | 'resolved-sent'
  | 'resolved-not-sent';

/** How often each step happened in one hour. See {@link Journal.counts}. */
export interface HourCounts {
  /** When the hour begins: ms since 1970, a multiple of 3,600,000. */
  readonly hourMs: number;
  /** How often each step happened. A step that did not happen is missing. */
  readonly counts: Readonly<Partial<Record<JournalType, number>>>;
}
