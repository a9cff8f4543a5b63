/** The ledgers of sendonce, by their packages. */
export const ledgerNames = ['redis', 'redlock', 'postgres'] as const;

/** What people use today. */
export const peerNames = [
  'bare',
  'job-id',
  'deduplication',
  'set-nx-lease',
  'set-nx-forever',
  'redlock-library',
  'advisory-lock',
  'powertools',
  'node-idempotency',
] as const;

export const systemNames = [...ledgerNames, ...peerNames] as const;
export type LedgerName = (typeof ledgerNames)[number];
export type PeerName = (typeof peerNames)[number];
export type SystemName = (typeof systemNames)[number];

export function isLedgerName(name: string): name is LedgerName {
  return (ledgerNames as readonly string[]).includes(name);
}
