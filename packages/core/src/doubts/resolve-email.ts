import type { Sources } from '../inspect/find-emails.ts';
import { OptionError } from '../errors.ts';
import { flushSoon, writeEntry } from '../journal.ts';
import type { Resolution } from '../ledger.ts';
import type { ResolveReply } from '../record.ts';
import {
  checkDuration,
  checkLedger,
  checkNames,
  checkOneOf,
  checkText,
  describe,
  type OptionNames,
} from '../store/check-options.ts';
import { DEFAULT_RETENTION_MS } from '../perform-options.ts';

/** What a person, a look-up or a webhook found out about an email in doubt. */
export interface FoundOut {
  /** Which email: the key of its record. */
  readonly key: string;
  /** The token of the doubt that was read. A verdict about it decides no other doubt. */
  readonly token: string;
  /** Whether the email was sent. */
  readonly verdict: 'sent' | 'not-sent';
  /** The name of the one who decides, for people. */
  readonly by: string;
  /** How they know, for people who read the history later. Never an address. */
  readonly why?: string | undefined;
  /** By what means the outcome was found, for metrics. @default a person */
  readonly means?: Resolution['means'];
  /** How long the outcome is kept, in ms. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
}

const FOUND_NAMES: OptionNames<FoundOut> = {
  key: true,
  token: true,
  verdict: true,
  by: true,
  why: true,
  means: true,
  retentionMs: true,
};

/**
 * Resolves an email in doubt, and writes to the journal who decided and why. `not-in-doubt`:
 * another person, a resolver or the sender was faster, or the email is in doubt again by a later
 * attempt.
 * @throws {OptionError}
 * @throws {LedgerUnavailableError} It is unknown whether the email was resolved. It is safe to
 * repeat.
 *
 * @example
 * const { key, token } = record;
 * const found = { verdict: 'sent', by: 'Ada', why: 'the customer has it' } as const;
 * await resolveEmail({ ledger }, { key, token, ...found });
 */
export async function resolveEmail(
  { ledger, journal }: Sources,
  found: FoundOut,
): Promise<ResolveReply> {
  checkNames('resolveEmail()', found, FOUND_NAMES);
  const { key, token, verdict, by, why, means, retentionMs = DEFAULT_RETENTION_MS } = found;
  checkLedger(ledger);
  checkOneOf('verdict', verdict, ['sent', 'not-sent']);
  checkGiven('key', key);
  checkGiven('token', token);
  checkText('by', by);
  checkText('why', why);
  checkDuration('retentionMs', retentionMs);
  const resolvedBy = why ? `${by}: ${why}` : by;
  const reply = await ledger.resolve({ key, token, verdict, by: resolvedBy, means, retentionMs });
  if (reply.state === 'resolved') {
    const type = `resolved-${verdict}` as const;
    writeEntry(journal, { key, type, atMs: Date.now(), by, note: why });
    flushSoon(journal);
  }
  return reply;
}

function checkGiven(option: 'key' | 'token', value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new OptionError(
    option,
    `Expected "${option}" to be that of the record in doubt, got ${describe(value)}. Nothing was resolved.`,
  );
}
