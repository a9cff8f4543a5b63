import { isSendonceError } from '../errors.ts';
import type { Journal, JournalEntry } from '../journal.ts';
import { bareMessageId, deriveKey, isKey } from '../keys.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord } from '../record.ts';
import { senderOf } from '../sender.ts';

/** Where people look: the ledger decides, the journal tells. */
export interface Sources {
  readonly ledger: Ledger;
  /** Without one, histories are empty, and emails are found by their key alone, or while they are in doubt. */
  readonly journal?: Journal | undefined;
}

/** One email, as far as it is known. */
export interface FoundEmail {
  readonly key: string;
  /** Undefined when the ledger has none: never claimed, given back, or its retention is over. */
  readonly record: LedgerRecord | undefined;
  readonly history: readonly JournalEntry[];
}

/**
 * The emails that somebody may mean by these words: the parts of the key in their order (`delivery-notice 4711`, or as
 * JSON), the key itself, a label, a Message-ID, or `queue:jobId`. None that neither the ledger nor the journal knows.
 * @throws {LedgerUnavailableError}
 *
 * @example await findEmails({ ledger, journal }, ['delivery-notice', '4711'])
 */
export async function findEmails(
  sources: Sources,
  words: readonly string[],
): Promise<readonly FoundEmail[]> {
  const text = words.join(' ').trim();
  if (text === '') return [];
  const byName = await (sources.journal?.find(text) ?? keysInDoubt(sources.ledger, text));
  const keys = new Set([...keysOfParts(words, text), ...byName]);
  const found = await Promise.all([...keys].map((key) => readEmail(sources, key)));
  return found.filter(({ record, history }) => record !== undefined || history.length > 0);
}

/** One email by its key. */
export async function readEmail({ ledger, journal }: Sources, key: string): Promise<FoundEmail> {
  const [record, history] = await Promise.all([ledger.read(key), journal?.history(key) ?? []]);
  return { key, record, history };
}

/** Under what name people know an email, if they gave it one. */
export function labelOf(history: readonly JournalEntry[]): string | undefined {
  return history.findLast(({ label }) => label !== undefined)?.label;
}

/** A worker that has nothing else to do begins with a job within seconds. */
const LATE_MS = 60_000;

/**
 * When an email is due that is scheduled and that no worker has begun with, ms since 1970, and whether that should have
 * happened by now. By the journal, which is told by `delayedEmails()`; undefined for all others.
 */
export function scheduledFor({
  record,
  history,
}: FoundEmail): { readonly dueMs: number; readonly isLate: boolean } | undefined {
  const dueMs = record ? undefined : history.at(-1)?.dueMs;
  return dueMs === undefined ? undefined : { dueMs, isLate: dueMs < Date.now() - LATE_MS };
}

/** The words as parts of a key. A word such as `7` may have been a number or a text: both are tried. */
function keysOfParts(words: readonly string[], text: string): string[] {
  const keys = isKey(text) ? [text] : [];
  const whole = parsed(text);
  const lists =
    typeof whole === 'object' ? [whole] : readings(words.length > 1 ? words : text.split(/\s+/));
  for (const parts of lists) {
    try {
      keys.push(deriveKey(parts));
    } catch (error) {
      // What cannot be a key is no email's.
      if (!isSendonceError(error, 'SENDONCE_KEY')) throw error;
    }
  }
  return keys;
}

/** More numbers than that are given as JSON. */
const MOST_READINGS = 64;

function readings(words: readonly string[]): unknown[][] {
  let lists: unknown[][] = [[]];
  for (const word of words) {
    const value = parsed(word);
    const meant = value === undefined || value === word ? [word] : [word, value];
    const some = lists.length * meant.length > MOST_READINGS ? meant.slice(-1) : meant;
    lists = lists.flatMap((list) => some.map((part) => [...list, part]));
  }
  return lists;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Without a journal: the doubts are few, and looked through. */
async function keysInDoubt(ledger: Ledger, text: string): Promise<string[]> {
  const keys: string[] = [];
  const bare = bareMessageId(text);
  for await (const { key, job, by, messageId } of ledger.list({ state: 'in-doubt' })) {
    const isNamed = text === by || (job && text === senderOf({ job }));
    if (isNamed || (messageId && bareMessageId(messageId) === bare)) keys.push(key);
  }
  return keys;
}
