import type { Ledger, LedgerRecord } from '@sendonce/core';
import type { Operation } from './record-after.ts';

/** A reply of any verb. */
export interface Answer {
  readonly state: string;
  readonly record?: LedgerRecord | undefined;
  readonly fields?: readonly string[];
  readonly retryAfterMs?: number;
  readonly dispatchedAgoMs?: number;
}

/** Asks a ledger what the operation says. */
export async function execute(ledger: Ledger, operation: Operation): Promise<Answer> {
  const { verb, ...request } = operation;
  if (operation.verb === 'heartbeat') {
    const [state = 'no answer'] = await ledger.heartbeat([operation]);
    return { state };
  }
  const ask = ledger[verb as Exclude<typeof verb, 'heartbeat'>] as (
    request: object,
  ) => Promise<Answer>;
  return ask(request);
}
