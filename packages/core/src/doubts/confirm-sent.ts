import { OptionError } from '../errors.ts';
import type { Sources } from '../inspect/find-emails.ts';
import { bareMessageId, keyOfMessageId } from '../keys.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord, ResolveReply } from '../record.ts';
import {
  checkDuration,
  checkLedger,
  checkNames,
  describe,
  type OptionNames,
} from '../store/check-options.ts';
import { DEFAULT_RETENTION_MS } from '../perform-options.ts';
import { resolveEmail } from './resolve-email.ts';

/**
 * Which email a provider reports: by its key, or by the Message-ID that the sender recorded.
 * See {@link confirmSent}.
 */
export type ConfirmedEmail = (
  | { readonly key: string; readonly messageId?: undefined }
  | { readonly messageId: string; readonly key?: undefined }
) & {
  /** The name of the one who confirms it, for people: `webhook of Brevo`. */
  readonly by: string;
  /** How long the outcome is kept, in ms. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
};

const CONFIRMED_NAMES: OptionNames<ConfirmedEmail> = {
  key: true,
  messageId: true,
  by: true,
  retentionMs: true,
};

/**
 * Resolves a doubt as "sent", because a provider reports the email (processed, delivered, opened).
 *
 * In a webhook, check first that the request comes from the provider. An email that is not in doubt
 * is not changed (`not-in-doubt`), so the same event may come twice, late, or for other emails.
 * @returns the same as {@link resolveEmail}.
 * @throws {OptionError}
 * @throws {LedgerUnavailableError} Answer the webhook with 503, so that the provider repeats it.
 *
 * @example
 * const { event, messageId } = body; // of a request whose signature was checked
 * if (event === 'delivered') await confirmSent({ ledger }, { messageId, by: 'webhook of Brevo' });
 */
export async function confirmSent(
  { ledger, journal }: Sources,
  confirmed: ConfirmedEmail,
): Promise<ResolveReply> {
  checkNames('confirmSent()', confirmed, CONFIRMED_NAMES);
  const { key, messageId, by, retentionMs = DEFAULT_RETENTION_MS } = confirmed;
  checkLedger(ledger);
  checkDuration('retentionMs', retentionMs);
  const record =
    key === undefined
      ? await findInDoubt(ledger, checkName('messageId', messageId))
      : await ledger.read(checkName('key', key));
  if (record?.state !== 'in-doubt') return { state: 'not-in-doubt', record };
  const { token } = record;
  const means = 'confirm-sent';
  const found = { key: record.key, token, verdict: 'sent', by, means, retentionMs } as const;
  return resolveEmail({ ledger, journal }, found);
}

/**
 * Reads the email whose key the Message-ID has: a sender that died left none in the record.
 * Otherwise the user chose the Message-ID, and all doubts are read: they are few.
 */
async function findInDoubt(ledger: Ledger, messageId: string): Promise<LedgerRecord | undefined> {
  const key = keyOfMessageId(messageId);
  const own = key === undefined ? undefined : await ledger.read(key);
  if (own?.state === 'in-doubt') return own;
  const wanted = bareMessageId(messageId);
  for await (const record of ledger.list({ state: 'in-doubt' })) {
    if (record.messageId !== undefined && bareMessageId(record.messageId) === wanted) return record;
  }
  return undefined;
}

function checkName(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError(
    option,
    `Expected "key" or "messageId" to name the email, got ${describe(value)}. Nothing was resolved.`,
  );
}
