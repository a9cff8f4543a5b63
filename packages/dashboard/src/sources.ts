import {
  type Journal,
  type Ledger,
  type LedgerRecord,
  type Sources,
  UnreadableRecordError,
} from '@sendonce/core';
import { isKey } from '@sendonce/core/ledger';
import { checkCounts, checkHistory, checkKeys, checkRecord } from './check-entries.ts';
import { withDeadline } from './deadline.ts';

/** The journal may be on another server than the ledger, and a page does not wait longer for it. */
const JOURNAL_TIMEOUT_MS = 2000;

/**
 * Checks what the stores return, and limits how long pages wait for the journal. If the journal
 * does not answer, emails are shown without their histories and can still be resolved.
 */
export function checkedSources(ledger: Ledger, journal: Journal | undefined): Sources {
  return { ledger: checkedLedger(ledger), journal: journal && checkedJournal(journal) };
}

/**
 * What `counts` returns if the journal does not answer. Compared by identity: no counts are `[]`,
 * too.
 */
export const UNKNOWN_COUNTS: readonly never[] = [];

function checkedLedger(ledger: Ledger): Ledger {
  return withReads(ledger, {
    async read(key) {
      const record: unknown = await ledger.read(key);
      return record === undefined ? undefined : checkReadRecord(record, key);
    },
    list: (query) => listChecked(ledger, query),
  });
}

/** The ledger with other reads. The verbs that write are its own, which may need its `this`. */
export function withReads(ledger: Ledger, reads: Pick<Ledger, 'read' | 'list'>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const verb: unknown = Reflect.get(Object.hasOwn(reads, name) ? reads : target, name);
      return typeof verb === 'function' ? (verb.bind(target) as unknown) : verb;
    },
  });
}

/** Lists all that can be read before it throws, so that one record hides none of the others. */
async function* listChecked(
  ledger: Ledger,
  query: Parameters<Ledger['list']>[0],
): AsyncGenerator<LedgerRecord> {
  let unreadable: UnreadableRecordError | undefined;
  for await (const value of ledger.list(query) as AsyncIterable<unknown>) {
    const record = checkRecord(value);
    if (record) yield record;
    else unreadable ??= unreadableError((value as Partial<LedgerRecord> | null | undefined)?.key);
  }
  if (unreadable) throw unreadable;
}

function checkReadRecord(value: unknown, key: string): LedgerRecord {
  const record = checkRecord({ ...(value as object), key });
  if (!record) throw unreadableError(key);
  return record;
}

function unreadableError(key: unknown): UnreadableRecordError {
  return new UnreadableRecordError(isKey(key) ? key : 'an unknown email', 'the ledger');
}

function checkedJournal(journal: Journal): Journal {
  const readOr = <T>(read: () => Promise<T>, otherwise: T) =>
    withDeadline(read(), JOURNAL_TIMEOUT_MS).catch(() => otherwise);
  return {
    write: (entry) => journal.write(entry),
    flush: () => journal.flush(),
    history: (key) => readOr(async () => checkHistory(key, await journal.history(key)), []),
    find: (text) => readOr(async () => checkKeys(await journal.find(text)), []),
    counts: (fromMs) =>
      readOr(async () => checkCounts(await journal.counts(fromMs), fromMs), UNKNOWN_COUNTS),
  };
}
