import type { AttemptContext } from '../attempt-context.ts';
import { isSendonceError } from '../errors.ts';
import type { Resolver, ResolverVerdict } from '../perform-options.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import { senderOf } from '../sender.ts';
import { resolveEmail } from './resolve-email.ts';

/**
 * Asks the resolver about an email in doubt, and writes its verdict into the ledger.
 *
 * @param asked `by`: who decides, for people. @default `resolver of queue:jobId`
 * @throws {LedgerUnavailableError} when "not sent" was found, and the ledger did not answer. It may
 *   have removed the doubt: no job may fail as "in doubt" after that, because no job
 *   would come back.
 */
export async function askResolver(
  { ledger, options, attempt }: AttemptContext,
  doubt: Parameters<Resolver>[0],
  { resolver, by }: { readonly resolver: Resolver; readonly by?: string | undefined },
): Promise<ResolverVerdict> {
  let verdict: ResolverVerdict = 'unknown';
  try {
    verdict = await resolver(doubt);
    if (verdict !== 'sent' && verdict !== 'not-sent') return 'unknown';
    const { retentionMs, leaseMs } = attempt;
    const { key, token } = doubt.record;
    const decidedBy = by ?? `resolver of ${senderOf(attempt) || 'an attempt'}`;
    const sources = { ledger, journal: options.journal };
    const means = 'resolver' as const;
    const found = { key, token, verdict, retentionMs, by: decidedBy, means };
    const { state } = await retryWhileUnavailable(() => resolveEmail(sources, found), leaseMs);
    return state === 'resolved' ? verdict : 'unknown';
  } catch (error) {
    const isLost = isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE');
    if (isLost && verdict === 'not-sent') throw error;
    // A resolver that fails found nothing out: the doubt stays listed.
    return 'unknown';
  }
}
