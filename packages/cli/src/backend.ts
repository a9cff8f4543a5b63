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
 * The default export of a `sendonce.config.mjs`, which tells the command line where the emails are.
 * It is for what URLs cannot describe: a Cluster, Sentinel, certificates, a ledger of your own.
 *
 * @example
 * const client = new Redis('redis://127.0.0.1:6379');
 * export default {
 *   ledger: redisLedger(client),
 *   journal: redisJournal(client),
 *   close: () => client.disconnect(),
 * };
 */
export interface SendonceConfig {
  /** The ledger of `once()`. */
  readonly ledger: Ledger;
  /**
   * The journal of `once()`: histories, counts and labels.
   * @default none: emails are found by their keys only
   */
  readonly journal?: Sources['journal'];
  /**
   * The queues whose failed jobs `resolve --retry` retries.
   * @default none: no job is retried
   */
  readonly queues?: readonly QueueOfJobs[] | undefined;
  /** Closes what the file has opened. Called once, at the end of each command; it may be async. */
  readonly close?: (() => Promise<unknown> | void) | undefined;
}
