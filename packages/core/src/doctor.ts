import type { Ledger } from './ledger.ts';
import { warn } from './warn.ts';

const examined = new WeakSet<Ledger>();

/**
 * Lets a ledger check what its promise rests on, once, at its first email. Errors and warnings
 * become process warnings (`--disable-warning=SENDONCE_DOCTOR` silences them). No email waits for
 * it.
 */
export async function examineOnce(ledger: Ledger): Promise<void> {
  if (!ledger.doctor || examined.has(ledger)) return;
  examined.add(ledger);
  const findings = await ledger.doctor().catch(() => []);
  for (const { severity, check, found, remedy } of findings) {
    if (severity === 'info') continue;
    warn('SENDONCE_DOCTOR', `sendonce ${check}: ${found} ${remedy}`);
  }
}
