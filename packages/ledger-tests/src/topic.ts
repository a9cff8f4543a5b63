import type { Attempt, Ledger } from '@sendonce/core';

/** One part of the specification in `packages/core/src/ledger.ts`, as a list of cases. */
export interface Topic {
  readonly name: string;
  readonly cases: readonly TopicCase[];
}

export interface TopicCase {
  /** A sentence about what every ledger does. */
  readonly title: string;
  /** What the backend must offer; the case is skipped where it does not. */
  readonly needs?: readonly (keyof Capabilities)[];
  /** Rejects where the ledger does something else. */
  readonly run: (context: Context) => Promise<void>;
}

/** What only some backends can do on command. */
export interface Capabilities {
  /** Puts other bytes in the place of a record. */
  readonly corrupt: (key: string, bytes: string) => Promise<void>;
  /** The bytes of a record as they are stored, or undefined when it is absent. */
  readonly stored: (key: string) => Promise<string | undefined>;
  /**
   * Runs one verb on a ledger that reaches the same store, and loses its reply after the store
   * executed it. The verb may answer (its client asked again) or throw.
   */
  readonly lostReply: <T>(verb: (ledger: Ledger) => Promise<T>) => Promise<T>;
}

/** What a backend's test hands over. */
export interface LedgerUnderTest extends Partial<Capabilities> {
  readonly ledger: Ledger;
  /** A second ledger on the same store: another connection, another instance. */
  readonly other: Ledger;
  /** Makes the ledger's time pass. @default waiting for it */
  readonly advance?: (ms: number) => Promise<void>;
  /**
   * Makes every sender silent for so long. Only for a ledger that notices a dead sender by something
   * other than time. @default advance
   */
  readonly fallSilent?: (ms: number) => Promise<void>;
  /** The shortest lease in the cases: the ledger answers within half of it. @default 200 */
  readonly timeUnitMs?: number;
  readonly close?: () => Promise<void>;
}

/** What a case works with. */
export interface Context extends Partial<Capabilities> {
  readonly ledger: Ledger;
  readonly other: Ledger;
  /** A lease or retention that a case waits out. */
  readonly unitMs: number;
  /** A fresh random key. */
  readonly key: () => string;
  /** An attempt with a fresh key, a fresh token and a lease that does not end within the case. */
  readonly attempt: (overrides?: Partial<Attempt>) => Attempt;
  readonly advance: (ms: number) => Promise<void>;
  readonly fallSilent: (ms: number) => Promise<void>;
}
