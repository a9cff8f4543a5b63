import type { Journal, Ledger, Sources } from '@sendonce/core';
import { withDeadline } from './deadline.ts';

/** The journal may be on another server than the ledger, and a page does not wait longer for it. */
const JOURNAL_TIMEOUT_MS = 2000;

/**
 * Limits how long pages wait for the journal. If it does not answer, emails are shown without their
 * histories and can still be resolved.
 */
export function withJournalDeadline(ledger: Ledger, journal: Journal | undefined): Sources {
  if (!journal) return { ledger };
  const readOr = async <T>(reading: Promise<readonly T[]>, otherwise: readonly T[]) =>
    withDeadline(reading, JOURNAL_TIMEOUT_MS).catch(() => otherwise);
  return {
    ledger,
    journal: {
      write: (entry) => journal.write(entry),
      flush: () => journal.flush(),
      history: (key) => readOr(journal.history(key), []),
      find: (text) => readOr(journal.find(text), []),
      counts: (fromMs) => readOr(journal.counts(fromMs), UNKNOWN_COUNTS),
    },
  };
}

/**
 * What `counts` returns if the journal does not answer. Compared by identity: no counts are `[]`,
 * too.
 */
export const UNKNOWN_COUNTS: readonly never[] = [];
