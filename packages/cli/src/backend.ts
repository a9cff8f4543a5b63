import type { Ledger, Sources } from '@sendonce/core';
import type { FindQueue, QueueOfJobs } from '@sendonce/core/inspect';

/** The servers that a command works with. */
export interface Backend extends Sources {
  /**
   * Where the emails are, for people: `Redis at 127.0.0.1:6379, database 0, prefix sendonce`. Never
   * with a password.
   */
  readonly location: string;
  /** Where the journal is. Undefined if there is none, or its place is not known. */
  readonly journalLocation?: string | undefined;
  /** Whether neither the ledger nor the journal has anything. */
  readonly isEmpty?: () => Promise<boolean>;
  /** Finds the queue of a job that is to be retried. Undefined if no queue server is known. */
  readonly findQueue?: FindQueue;
  close(): Promise<void>;
}

/**
 * The default export of a configuration file: `export default { ledger, journal } satisfies
 * SendonceConfig`.
 */
export interface SendonceConfig {
  readonly ledger: Ledger;
  readonly journal?: Sources['journal'];
  /** The queues whose failed jobs `resolve --retry` retries. */
  readonly queues?: readonly QueueOfJobs[] | undefined;
  /** Closes what the file has opened. */
  readonly close?: (() => Promise<unknown> | void) | undefined;
}
