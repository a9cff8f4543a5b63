import type { Attempt, Ledger } from '@sendonce/core';

/** One part of the contract of {@link Ledger}, as a list of cases. */
export interface Topic {
  /** Two or three words: `in doubt`, `lost replies`. */
  readonly name: string;
  /** The cases, in the order in which they run. */
  readonly cases: readonly TopicCase[];
}

/**
 * One case of the suite.
 * See {@link Topic}.
 */
export interface TopicCase {
  /** A sentence about what every ledger does. */
  readonly title: string;
  /** What the store must offer. Without it, the case is skipped. */
  readonly needs?: readonly (keyof Capabilities)[] | undefined;
  /** Rejects if the ledger does something else. */
  readonly run: (context: Context) => Promise<void>;
}

/**
 * What only some stores can do on command. Each is optional; without it, its cases are skipped.
 * See {@link LedgerUnderTest}.
 */
export interface Capabilities {
  /**
   * Puts other bytes in the place of the record under a key. With {@link Capabilities.stored} it
   * lets the suite check that a damaged record is never overwritten and never treated as absent.
   */
  readonly corrupt: (key: string, bytes: string) => Promise<void>;
  /** The bytes of a record as they are stored. Undefined if the record is absent. */
  readonly stored: (key: string) => Promise<string | undefined>;
  /**
   * Runs one verb on a ledger of the same store and loses the reply after the store has executed
   * the verb: for example through a proxy that cuts the connection. The verb may answer (because
   * the client repeated it) or throw.
   */
  readonly lostReply: <T>(verb: (ledger: Ledger) => Promise<T>) => Promise<T>;
}

/**
 * The ledger that is tested, and what the suite may do with its store.
 *
 * See {@link describeLedger}.
 */
export interface LedgerUnderTest extends Partial<Capabilities> {
  /** The ledger that is tested. */
  readonly ledger: Ledger;
  /** A second ledger on the same store, with its own connection: another worker. */
  readonly other: Ledger;
  /**
   * Makes the ledger's time pass, in milliseconds: for a store with a clock that can be set.
   * @default waits for that time
   */
  readonly advance?: ((ms: number) => Promise<void>) | undefined;
  /**
   * Makes every sender silent, in milliseconds. Only for a store that notices a dead sender by
   * something other than time: PostgreSQL does by the end of a session. @default advance
   */
  readonly fallSilent?: ((ms: number) => Promise<void>) | undefined;
  /**
   * The shortest lease in the cases, in milliseconds. The store must answer within half of it:
   * raise it for a store that is slow or far away. @default 200
   */
  readonly timeUnitMs?: number | undefined;
  /** Closes the connections and removes what the cases left behind. Called after the last case. */
  readonly close?: (() => Promise<void>) | undefined;
}

/**
 * What a case works with.
 * See {@link TopicCase.run}.
 */
export interface Context extends Partial<Capabilities> {
  /** The ledger that is tested. */
  readonly ledger: Ledger;
  /** Another ledger on the same store. */
  readonly other: Ledger;
  /** A lease or retention that a case waits out, in milliseconds. */
  readonly unitMs: number;
  /** Makes a fresh random key. */
  readonly key: () => string;
  /**
   * Makes an attempt with a fresh key, a fresh token and a lease that does not end within the case.
   */
  readonly attempt: (overrides?: Partial<Attempt>) => Attempt;
  /** Makes the ledger's time pass, in milliseconds. */
  readonly advance: (ms: number) => Promise<void>;
  /** Makes every sender silent, in milliseconds. */
  readonly fallSilent: (ms: number) => Promise<void>;
}
