import type { Ledger } from './ledger.ts';

const examined = new WeakSet<Ledger>();

/**
 * Lets a ledger check what its promise rests on, once, beside its first email: what is wrong becomes
 * a process warning (`--disable-warning=SENDONCE_DOCTOR` silences it). Decides over no email.
 */
export async function examineOnce(ledger: Ledger): Promise<void> {
  if (!ledger.doctor || examined.has(ledger)) return;
  examined.add(ledger);
  const findings = await ledger.doctor().catch(() => []);
  for (const { severity, check, found, remedy } of findings) {
    if (severity === 'info') continue;
    process.emitWarning(`sendonce ${check}: ${found} ${remedy}`, {
      type: 'SendonceWarning',
      code: 'SENDONCE_DOCTOR',
    });
  }
}
