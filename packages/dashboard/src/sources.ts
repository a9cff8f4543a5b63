import type { Journal, Ledger, Sources } from '@sendonce/core';
import { withDeadline } from './deadline.ts';

/** A journal may be on another server than the ledger, and slower than a page can wait. */
const JOURNAL_MS = 2000;

/**
 * The ledger decides and the journal only tells: where the journal does not answer, emails are shown without their
 * histories, and can be resolved.
 */
export function sourcesOf(ledger: Ledger, journal: Journal | undefined): Sources {
  if (!journal) return { ledger };
  const ask = async <T>(question: Promise<readonly T[]>, unknown: readonly T[]) =>
    withDeadline(question, JOURNAL_MS).catch(() => unknown);
  return {
    ledger,
    journal: {
      write: (entry) => journal.write(entry),
      flush: () => journal.flush(),
      history: (key) => ask(journal.history(key), []),
      find: (text) => ask(journal.find(text), []),
      counts: (fromMs) => ask(journal.counts(fromMs), notCounted),
    },
  };
}

/** What `counts` gives where the journal does not answer: no counts, which is not the same as none. */
export const notCounted: readonly never[] = [];
