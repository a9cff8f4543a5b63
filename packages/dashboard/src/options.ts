import { randomBytes } from 'node:crypto';
import { DEFAULT_RETENTION_MS, type Journal, type Ledger, OptionError } from '@sendonce/core';
import {
  checkDuration,
  checkFunction,
  checkJournal,
  checkLedger,
  checkNames,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import { type FindQueue, type QueueOfJobs } from '@sendonce/core/inspect';

/** The person who uses the dashboard, as {@link Authorize} finds out. */
export interface Viewer {
  /**
   * A name or a login, never an address: it is recorded in the ledger and the journal with each
   * verdict.
   */
  readonly name: string;
  /** Whether this person may resolve an email in doubt. @default false */
  readonly mayResolve?: boolean | undefined;
}

/**
 * Finds out who asks, by the session or header of your application; it may be async. If it returns
 * undefined, the response is 403; if it throws or rejects, 500. `original` is the framework's own
 * request if an adapter has one: the `req` of Express or Nest, the `request` of Fastify.
 *
 * @example
 * const authorize: Authorize = (request, original) => {
 *   const { user } = original as express.Request;
 *   return user && { name: user.login, mayResolve: user.isAdmin };
 * };
 */
export type Authorize = (
  request: Request,
  original: unknown,
) => Viewer | undefined | Promise<Viewer | undefined>;

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /** The ledger of `once()`. */
  readonly ledger: Ledger;
  /**
   * The journal of `once()`: histories, counts and labels.
   * @default none: the dashboard shows the open emails, and single emails by their key
   */
  readonly journal?: Journal | undefined;
  /**
   * The queues whose failed jobs are retried after a verdict, or a function that finds one by its
   * name.
   * @default none: no job is retried
   */
  readonly queues?: readonly QueueOfJobs[] | FindQueue | undefined;
  /**
   * Who may look, and who may resolve.
   * @default only this machine may look, and no verdict is accepted: the Host must be localhost,
   *   127.0.0.1 or [::1], and an adapter must know that the connection is from this machine. A
   *   call of `fetch` is denied.
   */
  readonly authorize?: Authorize | undefined;
  /** Where it is mounted: the path before `/find`. @default '/' */
  readonly basePath?: string | undefined;
  /** How long a verdict "sent" is kept, in ms, as in `once()`. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
  /**
   * Signs the forms of verdicts: at least 32 characters. All processes behind one address need the
   * same secret.
   * @default random for each process
   */
  readonly secret?: string | undefined;
}

const OPTION_NAMES: OptionNames<DashboardOptions> = {
  ledger: true,
  journal: true,
  queues: true,
  authorize: true,
  basePath: true,
  retentionMs: true,
  secret: true,
};

/** The checked options with their defaults. */
export interface Settings extends Pick<DashboardOptions, 'ledger' | 'journal' | 'authorize'> {
  /** The path of the mount, which begins every link: '' or '/emails'. */
  readonly base: string;
  readonly findQueue: FindQueue;
  readonly retentionMs: number;
  readonly secret: string;
}

/** @throws {OptionError} */
export function resolveOptions(options: DashboardOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(
      'options',
      `Expected options such as { ledger }, got ${describe(options)}.`,
    );
  }
  checkNames('dashboard()', options, OPTION_NAMES);
  const { ledger, journal, queues = [], authorize, basePath = '/' } = options;
  const { retentionMs = DEFAULT_RETENTION_MS, secret = randomBytes(32).toString('hex') } = options;
  checkLedger(ledger);
  if (journal !== undefined) checkJournal(journal);
  checkFunction('authorize', authorize, true);
  checkDuration('retentionMs', retentionMs);
  if (typeof secret !== 'string' || secret.length < 32) {
    // Never shown, because it is a secret.
    throw new OptionError('secret', 'Expected "secret" to be a string of at least 32 characters.');
  }
  const base = parseBasePath(basePath);
  return {
    ledger,
    journal,
    authorize,
    base,
    findQueue: createFindQueue(queues),
    retentionMs,
    secret,
  };
}

function createFindQueue(queues: NonNullable<DashboardOptions['queues']>): FindQueue {
  if (typeof queues === 'function') return queues;
  if (!Array.isArray(queues)) {
    throw new OptionError('queues', `Expected "queues" to be an array, got ${describe(queues)}.`);
  }
  const known = queues as readonly QueueOfJobs[];
  for (const queue of known) checkQueue(queue);
  return (name) => known.find((queue) => queue.name === name);
}

function parseBasePath(basePath: unknown): string {
  // A path that a URL writes differently, such as one with dots, would never match.
  if (
    typeof basePath === 'string' &&
    /^\/([\w.~-]+\/?)*$/.test(basePath) &&
    !/\/\.\.?(\/|$)/.test(basePath)
  ) {
    return basePath.replace(/\/$/, '');
  }
  throw new OptionError(
    'basePath',
    `Expected "basePath" to be a path such as '/emails', of letters, digits and . _ ~ - between slashes, ` +
      `got ${typeof basePath === 'string' ? `'${basePath}'` : describe(basePath)}.`,
  );
}

function checkQueue(value: unknown): void {
  if (typeof (value as Partial<QueueOfJobs> | null | undefined)?.getJob === 'function') return;
  throw new OptionError('queues', `Expected "queues" to have getJob(), got ${describe(value)}.`);
}
