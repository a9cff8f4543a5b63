/** The ledgers of sendonce. */
export const ledgerNames = ['redis', 'redlock', 'postgres'] as const;

/** What people use today. */
export const peerNames = ['set-nx-lease', 'set-nx-forever'] as const;

export const systemNames = [...ledgerNames, ...peerNames] as const;
export type LedgerName = (typeof ledgerNames)[number];
export type PeerName = (typeof peerNames)[number];
export type SystemName = (typeof systemNames)[number];

export function isLedgerName(name: string): name is LedgerName {
  return (ledgerNames as readonly string[]).includes(name);
}
