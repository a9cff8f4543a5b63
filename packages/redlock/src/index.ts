export { type NodeVote, QuorumError } from './quorum.ts';
export { redlockLedger, type RedlockLedgerOptions } from './redlock-ledger.ts';
