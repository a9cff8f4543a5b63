import { type Ledger, LedgerUnavailableError } from '@sendonce/core';

/** The verbs of a ledger that {@link faultyLedger} can break. */
export type Verb = Exclude<
  keyof Ledger,
  'list' | 'doctor' | 'onLost' | 'settleVia' | 'answerWithinMs'
>;

/** Where {@link faultyLedger} fails. */
export interface Fault {
  /** The verb that fails. */
  readonly verb: Verb;
  /** `before`: the store never saw the command. `after`: it executed it, and the reply was lost. */
  readonly moment: 'before' | 'after';
  /** How many calls fail. @default Infinity */
  readonly times?: number | undefined;
}

/**
 * A ledger that cannot answer, at one verb, so many times. It settles on no other connection.
 *
 * @example faultyLedger(memoryLedger(), { verb: 'settle', moment: 'after', times: 1 })
 */
export function faultyLedger(ledger: Ledger, { verb, moment, times = Infinity }: Fault): Ledger {
  let failures = 0;
  const original = ledger[verb].bind(ledger) as (request: unknown) => Promise<unknown>;
  const failing = async (request: unknown): Promise<unknown> => {
    if (failures >= times) return original(request);
    failures++;
    if (moment === 'after') await original(request);
    throw new LedgerUnavailableError(`The ledger did not answer (${verb}, ${moment}).`);
  };
  const faulty: { -readonly [Name in keyof Ledger]: Ledger[Name] } = { ...ledger, [verb]: failing };
  delete faulty.settleVia;
  return faulty;
}
