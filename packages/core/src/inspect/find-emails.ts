import { isSendonceError } from '../errors.ts';
import type { Journal, JournalEntry } from '../journal.ts';
import { bareMessageId, deriveKey, isKey, keyOfMessageId } from '../keys.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord } from '../record.ts';
import { senderOf } from '../sender.ts';

/** Where emails are looked up. The {@link Ledger} decides; the {@link Journal} is for people. */
export interface Sources {
  /** Where the records are. */
  readonly ledger: Ledger;
  /**
   * Without a journal, histories are empty. An email is then found by its key, and while it is in
   * doubt also by its job, its sender or its Message-ID.
   */
  readonly journal?: Journal | undefined;
}

/**
 * What the ledger and the journal know about one email.
 * See {@link readEmail}.
 */
export interface FoundEmail {
  /** Which email. */
  readonly key: string;
  /** Undefined if the ledger has no record: never claimed, released, or the retention is over. */
  readonly record: LedgerRecord | undefined;
  /** The steps of the email, oldest first. Empty without a journal. */
  readonly history: readonly JournalEntry[];
}

/**
 * Finds emails by what a person knows about them. The words are one of:
 * - the parts of the key in their order, as for {@link deriveKey}: `delivery-notice 4711`, or as
 *   JSON;
 * - the key itself;
 * - a label, a Message-ID or `queue:jobId`, which the journal looks up.
 *
 * An email that neither the ledger nor the journal knows is left out.
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
  const { ledger, journal } = sources;
  const keysByName = await (journal ? journal.find(text) : findKeysInDoubt(ledger, text));
  const keyInText = keyOfMessageId(text);
  const keys = new Set([
    ...deriveKeys(words, text),
    ...(keyInText ? [keyInText] : []),
    ...keysByName,
  ]);
  const emails = await Promise.all([...keys].map((key) => readEmail(sources, key)));
  return emails.filter(({ record, history }) => record !== undefined || history.length > 0);
}

/**
 * Reads one email by its key, also if nothing is known about it.
 * @throws {LedgerUnavailableError}
 *
 * @example const { record, history } = await readEmail({ ledger, journal }, key);
 */
export async function readEmail({ ledger, journal }: Sources, key: string): Promise<FoundEmail> {
  const [record, history] = await Promise.all([ledger.read(key), journal?.history(key) ?? []]);
  return { key, record, history };
}

/**
 * The newest label in a history. Undefined if the email has none.
 * See {@link FoundEmail.history}.
 */
export function lastLabel(history: readonly JournalEntry[]): string | undefined {
  return history.findLast(({ label }) => label !== undefined)?.label;
}

/**
 * The process, `host:pid`, that made the attempt of a record. Undefined if the journal does not
 * know. The journal keeps only the beginning of a token, so tokens are compared by it.
 *
 * @example const worker = findWorker(record, await journal.history(record.key)); // "mail-3:4711"
 */
export function findWorker(
  { token: ofRecord }: Pick<LedgerRecord, 'token'>,
  history: readonly JournalEntry[],
): string | undefined {
  const isOfAttempt = ({ token }: JournalEntry) => token && ofRecord.startsWith(token);
  return history.findLast((entry) => entry.worker !== undefined && isOfAttempt(entry))?.worker;
}

/** An idle worker begins with a due job within seconds, so a minute means that none is running. */
const LATE_AFTER_MS = 60_000;

/**
 * When a scheduled email is due, in ms since 1970, and whether it is late: due for more than a
 * minute without being claimed. Undefined for an email that has a record, and for one that is not
 * scheduled. Known from the journal of `delayedEmails()`.
 * See {@link readEmail}.
 */
export function scheduledFor({
  record,
  history,
}: FoundEmail): { readonly dueMs: number; readonly isLate: boolean } | undefined {
  const dueMs = record ? undefined : history.at(-1)?.dueMs;
  return dueMs === undefined ? undefined : { dueMs, isLate: dueMs < Date.now() - LATE_AFTER_MS };
}

/** The keys that the words can mean: the text as a key, and the words as parts of one. */
function deriveKeys(words: readonly string[], text: string): string[] {
  const keys = isKey(text) ? [text] : [];
  const json = parseJson(text);
  const lists =
    typeof json === 'object' ? [json] : readWords(words.length > 1 ? words : text.split(/\s+/));
  for (const parts of lists) {
    try {
      keys.push(deriveKey(parts));
    } catch (error) {
      // Words that cannot be a key may still be a label.
      if (!isSendonceError(error, 'SENDONCE_KEY')) throw error;
    }
  }
  return keys;
}

/** Six words that each have two meanings. More of them have to be given as JSON. */
const MAX_READINGS = 64;

/** All lists of parts that the words can mean: `7` may have been a number or a string. */
function readWords(words: readonly string[]): unknown[][] {
  let lists: unknown[][] = [[]];
  for (const word of words) {
    const value = parseJson(word);
    const meanings = value === undefined || value === word ? [word] : [word, value];
    const tried = lists.length * meanings.length > MAX_READINGS ? meanings.slice(-1) : meanings;
    lists = lists.flatMap((list) => tried.map((part) => [...list, part]));
  }
  return lists;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Without a journal only the emails in doubt can be searched: they are few, and listed. */
async function findKeysInDoubt(ledger: Ledger, text: string): Promise<string[]> {
  const keys: string[] = [];
  const wantedId = bareMessageId(text);
  for await (const { key, job, by, messageId } of ledger.list({ state: 'in-doubt' })) {
    const isSender = text === by || (job !== undefined && text === senderOf({ job }));
    const isMessage = messageId !== undefined && bareMessageId(messageId) === wantedId;
    if (isSender || isMessage) keys.push(key);
  }
  return keys;
}
