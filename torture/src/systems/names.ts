/** The ledgers of sendonce, by their packages. */
export const ledgerKinds = ['redis', 'redlock', 'postgres'] as const;
/** `compact` is the Redis ledger with that option. */
export const ledgerNames = ['redis', 'compact', 'redlock', 'postgres'] as const;

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

/** The package, and the servers, that a ledger is of. */
export function kindOf(name: LedgerName): (typeof ledgerKinds)[number] {
  return name === 'compact' ? 'redis' : name;
}

export function isLedgerName(name: string): name is LedgerName {
  return (ledgerNames as readonly string[]).includes(name);
}
