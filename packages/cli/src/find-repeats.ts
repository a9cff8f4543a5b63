import type { Finding } from '@sendonce/core';
import { DAY_MS, withErrorPage } from '@sendonce/core/ledger';
import type { Backend } from './backend.ts';
import { sumCounts } from './sum-counts.ts';

/** Emails of the last 24 hours during which a second request went to the same address. */
export async function findRepeats({ journal }: Backend): Promise<readonly Finding[]> {
  const sinceMs = Date.now() - DAY_MS;
  const { repeated = 0 } = sumCounts((await journal?.counts(sinceMs)) ?? [], sinceMs);
  if (repeated === 0) return [];
  const [emails, them] = repeated === 1 ? ['email', 'it'] : ['emails', 'them'];
  return [
    {
      severity: 'warning',
      check: 'repeated',
      found: `In the last 24 hours, ${repeated} ${emails} had a second request to the same address: an SDK may have sent ${them} twice.`,
      remedy: withErrorPage('Switch off the retries of the SDK.', 'SENDONCE_REPEATED'),
    },
  ];
}
