import type { Ledger, Sources } from '@sendonce/core';
import type { FindQueue, QueueOfJobs } from '@sendonce/core/inspect';

/** What the commands work with. */
export interface Desk extends Sources {
  /** Where the emails are, for people: `Redis at 127.0.0.1:6379`. Never with a password. */
  readonly where: string;
  /** The queue of that name, to run its jobs again; undefined where none is known. */
  readonly queue?: FindQueue;
  close(): Promise<void>;
}

/** What a configuration file exports: `export default { ledger, journal } satisfies SendonceConfig`. */
export interface SendonceConfig {
  readonly ledger: Ledger;
  readonly journal?: Sources['journal'];
  /** To give failed jobs to a worker again. */
  readonly queues?: readonly QueueOfJobs[];
  /** Closes what the file has opened. */
  readonly close?: () => Promise<unknown> | void;
}
