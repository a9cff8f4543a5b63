import type { Sources } from '../inspect/find-emails.ts';
import type { Resolution } from '../ledger.ts';
import type { ResolveReply } from '../record.ts';
import { checkDuration, checkLedger, checkOneOf, checkText } from '../store/check-options.ts';
import { DEFAULT_RETENTION_MS } from '../perform-options.ts';

/** What somebody found out about an email in doubt: a person, a look-up, a webhook. */
export interface FoundOut {
  readonly key: string;
  /** The token of the doubt that was looked at: a verdict about it decides no other one. */
  readonly token: string;
  readonly verdict: 'sent' | 'not-sent';
  /** Who says so. */
  readonly by: string;
  /** How they know, for whoever reads the history later. Never an address. */
  readonly why?: string | undefined;
  /** By what means, for who counts. @default a person */
  readonly means?: Resolution['means'];
  /** How long the outcome is kept, in ms. @default 604_800_000 (7 days) */
  readonly retentionMs?: number;
}

/**
 * Ends a doubt by what was found out, and tells the journal who decided and why. `not-in-doubt`: somebody
 * was faster (another person, a resolver, the sender that woke up), or the doubt is another one by now.
 * @throws {OptionError} @throws {LedgerUnavailableError} whether it was resolved is unknown; it is safe to repeat.
 */
export async function resolveEmail(
  { ledger, journal }: Sources,
  { key, token, verdict, by, why, means, retentionMs = DEFAULT_RETENTION_MS }: FoundOut,
): Promise<ResolveReply> {
  checkLedger(ledger);
  checkOneOf('verdict', verdict, ['sent', 'not-sent']);
  checkText('by', by);
  checkText('why', why);
  checkDuration('retentionMs', retentionMs);
  const told = why ? `${by}: ${why}` : by;
  const reply = await ledger.resolve({ key, token, verdict, by: told, means, retentionMs });
  if (reply.state === 'resolved') {
    journal?.write({ key, type: `resolved-${verdict}`, atMs: Date.now(), by, note: why });
  }
  return reply;
}
