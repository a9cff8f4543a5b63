import { randomBytes } from 'node:crypto';
import { DEFAULT_RETENTION_MS, type Journal, type Ledger, OptionError } from '@sendonce/core';
import {
  checkDuration,
  checkFunction,
  checkJournal,
  checkLedger,
  describe,
} from '@sendonce/core/ledger';
import { type FindQueue, type QueueOfJobs } from '@sendonce/core/inspect';

/** Who looks. */
export interface Viewer {
  /** Is written into the ledger and the journal with each verdict: a name or a login, no address. */
  readonly name: string;
  /** Whether they may say what became of an email in doubt. @default false */
  readonly mayResolve?: boolean;
}

/**
 * Says who asks, by the session or header of your application; undefined: nobody who may look. `original` is the
 * framework's own request, where an adapter has one: Express's or Nest's `req`, Fastify's `request`.
 *
 * @example (request, original) => ((original as express.Request).user ? { name: 'ada', mayResolve: true } : undefined)
 */
export type Authorize = (
  request: Request,
  original: unknown,
) => Viewer | undefined | Promise<Viewer | undefined>;

export interface DashboardOptions {
  readonly ledger: Ledger;
  /** Histories, counts, labels. @default none: only what is open, and single emails by their key */
  readonly journal?: Journal;
  /**
   * Where the failed job of an email is given to a worker again after a verdict: the queues, or what finds one by its
   * name.
   * @default none
   */
  readonly queues?: readonly QueueOfJobs[] | FindQueue;
  /**
   * Who may look, and who may resolve.
   * @default nobody resolves, and only this machine looks: the Host must be localhost, 127.0.0.1 or [::1]
   */
  readonly authorize?: Authorize;
  /** Where it is mounted: the path before `/find`. @default '/' */
  readonly basePath?: string;
  /** How long a verdict "sent" is kept, in ms: as in `once()`. @default 604_800_000 (7 days) */
  readonly retentionMs?: number;
  /**
   * Signs the forms, at least 32 characters: the same in all processes behind one address.
   * @default random, for this process
   */
  readonly secret?: string;
}

/** The options with their defaults, and `base`: '' or '/emails', to be put before a path. */
export interface Settings extends Omit<DashboardOptions, 'basePath' | 'queues'> {
  readonly base: string;
  readonly findQueue: FindQueue;
  readonly retentionMs: number;
  readonly secret: string;
}

/** @throws {OptionError} */
export function settingsOf(options: DashboardOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(
      'options',
      `Expected options such as { ledger }, got ${describe(options)}.`,
    );
  }
  const { ledger, journal, queues = [], authorize, basePath = '/' } = options;
  const { retentionMs = DEFAULT_RETENTION_MS, secret = randomBytes(32).toString('hex') } = options;
  checkLedger(ledger);
  if (journal !== undefined) checkJournal(journal);
  checkFunction('authorize', authorize, true);
  checkDuration('retentionMs', retentionMs);
  if (typeof secret !== 'string' || secret.length < 32) {
    // Its length only: it is a secret.
    throw new OptionError('secret', 'Expected "secret" to be a string of at least 32 characters.');
  }
  const base = baseOf(basePath);
  return { ...options, base, findQueue: findQueueIn(queues), retentionMs, secret };
}

function findQueueIn(queues: NonNullable<DashboardOptions['queues']>): FindQueue {
  if (typeof queues === 'function') return queues;
  if (!Array.isArray(queues)) {
    throw new OptionError('queues', `Expected "queues" to be an array, got ${describe(queues)}.`);
  }
  const known = queues as readonly QueueOfJobs[];
  for (const queue of known) checkQueue(queue);
  return (name) => known.find((queue) => queue.name === name);
}

function baseOf(basePath: unknown): string {
  // What a URL would write in another way could never be met.
  if (
    typeof basePath === 'string' &&
    /^\/([\w.~-]+\/?)*$/.test(basePath) &&
    !/\/\.\.?(\/|$)/.test(basePath)
  ) {
    return basePath.replace(/\/$/, '');
  }
  throw new OptionError(
    'basePath',
    `Expected "basePath" to be a path such as '/emails', of letters, digits and . _ ~ - between slashes, got ${typeof basePath === 'string' ? `'${basePath}'` : describe(basePath)}.`,
  );
}

function checkQueue(value: unknown): void {
  if (typeof (value as Partial<QueueOfJobs> | null | undefined)?.getJob === 'function') return;
  throw new OptionError('queues', `Expected "queues" to have getJob(), got ${describe(value)}.`);
}
