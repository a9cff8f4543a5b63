import type {
  CancelReply,
  ClaimReply,
  DispatchReply,
  HeartbeatReply,
  JobRef,
  LedgerRecord,
  ReleaseReply,
  ResolveReply,
  SettleReply,
} from './record.ts';

/**
 * The ledger keeps one record per email, under its key. This file is the specification that every
 * store implements and that `@sendonce/ledger-tests` checks.
 *
 *     absent --claim--> claimed --dispatch--> dispatched --settle--> sent | rejected
 *       ^                  |                       |
 *       +---- release, ----+                       +--- lease over, no outcome ---> IN DOUBT
 *       |     lease over   |                       |                                  |
 *       |                  +------- skip ----------+--> skipped (blocks nothing)      |
 *       +---------------------- resolved "not sent" <---------------------------------+---> sent
 *
 * Every transition. "own": the record has the token of the caller; "other": it has another one.
 * "=": the record stays as it is. What is not in the table does not happen.
 *
 * | verb            | from                        | guard                 | to         | reply        |
 * |-----------------|-----------------------------|-----------------------|------------|--------------|
 * | claim           | absent, skipped, claimed own |                      | claimed ¹  | won          |
 * |                 | dispatched own              |                       | = ²        | won          |
 * |                 | cancelled                   |                       | =          | cancelled    |
 * |                 | any other                   | fingerprints differ ³ | =          | conflict     |
 * |                 | claimed, dispatched other   |                       | =          | busy         |
 * |                 | in doubt (own, too)         |                       | =          | in-doubt     |
 * |                 | sent                        |                       | =          | duplicate    |
 * |                 | rejected                    |                       | =          | rejected     |
 * | dispatch        | absent, skipped             |                       | =          | expired      |
 * |                 | claimed own                 |                       | dispatched | dispatched   |
 * |                 | dispatched own              |                       | = ²        | dispatched   |
 * |                 | any other                   |                       | =          | as for claim, without conflict |
 * | settle          | dispatched, in doubt, sent, rejected: other |       | =          | lost         |
 * | settle sent     | cancelled                   | undispatched ⁴        | =          | lost         |
 * |                 | any other                   |                       | sent       | settled      |
 * | settle rejected | cancelled                   |                       | =          | lost         |
 * |                 | any other                   |                       | rejected   | settled      |
 * | settle skipped  | cancelled, sent, rejected   |                       | =          | lost         |
 * |                 | claimed other               |                       | =          | lost         |
 * |                 | any other                   |                       | skipped    | settled      |
 * | settle in-doubt | cancelled, sent, rejected   |                       | =          | lost         |
 * |                 | any other                   |                       | in doubt ⁵ | settled      |
 * | release         | absent, skipped             |                       | =          | released     |
 * |                 | claimed, dispatched own     |                       | absent     | released     |
 * |                 | in doubt own                |                       | =          | in-doubt     |
 * |                 | any other                   |                       | =          | lost         |
 * | heartbeat       | claimed own                 |                       | = ²        | kept         |
 * |                 | dispatched, in doubt own    |                       | dispatched ² | kept       |
 * |                 | any other                   |                       | =          | lost         |
 * | resolve sent    | in doubt own                |                       | sent       | resolved     |
 * |                 | sent own                    |                       | =          | resolved     |
 * |                 | any other                   |                       | =          | not-in-doubt |
 * | resolve not-sent | absent                     |                       | =          | resolved     |
 * |                 | in doubt, rejected own      |                       | absent     | resolved     |
 * |                 | any other                   |                       | =          | not-in-doubt |
 * | cancel          | absent, skipped, claimed, cancelled |               | cancelled  | cancelled    |
 * |                 | any other                   |                       | =          | too-late     |
 *
 * ¹ `dispatched` with `dispatched: true`. ² The lease, or the mark "still being sent", starts anew;
 * texts and `atMs` stay. ³ Both sides have a fingerprint. ⁴ The ledger acknowledged no dispatch of
 * this attempt. ⁵ Keeps `atMs` of this token's dispatch.
 *
 * Expiry means "give back" before the point of no return, and "remember" after it:
 * - `claimed` lives for one lease and then vanishes; nothing was sent.
 * - `dispatched` and in doubt never expire: a doubt that expires would be an email dropped
 *   silently. `dispatched` becomes in doubt when two leases pass without heartbeat and without
 *   outcome (one for the mark "still being sent", one more of silence).
 * - `sent`, `rejected`, `skipped` and `cancelled` live for the retention.
 *
 * Rules that hold for every verb:
 * - Losing is a value. An exception means "the ledger could not answer", never "won" or "lost".
 *   Every verb answers within a deadline or throws; what was asked may still be executed
 *   afterwards.
 * - Every verb may be executed twice (a client resends a command that got no reply). A repeat with
 *   the same token gives the same answer. It changes neither a text nor `atMs` of a dispatched
 *   record.
 * - Every write names its token, except `cancel`, which has none and only wins before dispatch.
 * - Time is the ledger's own clock, never the caller's.
 * - Every stored record carries the version of its format. A verb that meets a record of another
 *   version, or one that it cannot read, throws `UnreadableRecordError` and leaves it as it is.
 *
 * A store of your own passes `@sendonce/ledger-tests`. The readable form is {@link memoryLedger}.
 */
export interface Ledger {
  /**
   * Takes the right to send, for one lease. With `dispatched: true` it passes the point of no
   * return in the same step.
   *
   * A doubt is an answer even for the token that holds it: others may have read it, and only a
   * heartbeat or an outcome ends it.
   */
  claim(request: ClaimRequest): Promise<ClaimReply>;

  /**
   * The point of no return: compare-and-set on the token, at the last instant before the effect can
   * become visible. Only after the answer `dispatched` may the email leave.
   *
   * `expired`: the record is gone, the lease was over.
   */
  dispatch(attempt: Attempt): Promise<DispatchReply>;

  /**
   * Records the outcome, kept for the retention, or (`in-doubt`) that it is unknown.
   *
   * A sender that wakes up late turns its doubt, and even a person's resolution, into fact. It also
   * writes over another attempt's mere claim, whose dispatch then fails; `skipped` does not,
   * because the other attempt decides for itself. An acknowledged "cancelled" means that no email
   * leaves: only `sent` is written over it, of an attempt whose dispatch was acknowledged before.
   */
  settle(settlement: Settlement): Promise<SettleReply>;

  /**
   * Gives back a claim, dispatched or not, because nothing was sent. A record that is in doubt
   * stays listed: others may have read "in doubt" and may never try again.
   */
  release(attempt: Pick<Attempt, 'key' | 'token'>): Promise<ReleaseReply>;

  /**
   * Renews live claims, all in one command; answers in the same order. `lost`: this token no longer
   * holds the record open, or the record cannot be read; the other claims are renewed.
   */
  heartbeat(attempts: readonly Attempt[]): Promise<readonly HeartbeatReply[]>;

  /** The record under a key, or undefined when it is absent. */
  read(key: string): Promise<LedgerRecord | undefined>;

  /**
   * All records that are past dispatch and without outcome (`open`), or those of them that are in
   * doubt. The records without a sign of life for longest come first; those that become a doubt
   * while the list is read may come last. Read in pages, each when the reader comes to it, so that
   * a long list holds up no email: a record that is listed all the time is listed once, and one
   * that settles meanwhile may be missing. If a record cannot be read, UnreadableRecordError is
   * thrown after all the others.
   */
  list(query: { readonly state: 'open' | 'in-doubt' }): AsyncIterable<LedgerRecord>;

  /**
   * Ends a doubt: `sent` keeps the record for the retention, `not-sent` removes it, so that the
   * next attempt may send. Names the token of the doubt, so that a verdict about one attempt never
   * decides another one. `not-sent` also removes a rejected record, so that the email can be tried
   * again.
   */
  resolve(resolution: Resolution): Promise<ResolveReply>;

  /**
   * Forbids an email that was not dispatched yet, for the retention. A claim of another attempt
   * loses its dispatch.
   */
  cancel(cancellation: Cancellation): Promise<CancelReply>;

  /**
   * Within how many milliseconds every verb answers or throws, where the caller of the store has
   * set it: no lease may be shorter. Not for a store whose leases do not end by time.
   */
  readonly answerWithinMs?: number | undefined;

  /**
   * For a store that learns on its own that attempts are lost (the session that held their locks
   * has died): calls the listener with their tokens at once, before the next heartbeat would find
   * out. Called once for each ledger, before its first heartbeat.
   */
  onLost?(listener: (tokens: readonly string[]) => void): void;

  /**
   * For a store on the server of the queue: a `settle` that uses the queue's own connection, so
   * that the server executes it before the acknowledgement that follows on that connection.
   * Undefined where the connection leads to another server. A wrapper that changes `settle` must
   * leave this out.
   */
  settleVia?(connection: unknown): Promise<SettleVia | undefined>;

  /**
   * Checks what the promise rests on: eviction, durability, rights, versions. `perform()` runs it
   * once for each ledger and warns of errors and warnings. What cannot be checked is a finding, not
   * an error.
   */
  doctor?(): Promise<readonly Finding[]>;
}

/**
 * Something that a store needs in order to keep what it acknowledges.
 * See {@link Ledger.doctor}.
 */
export interface Finding {
  /**
   * `error`: emails may be sent twice or not at all. `warning`: after a crash. `info`: no action
   * needed.
   */
  readonly severity: 'error' | 'warning' | 'info';
  /** One or two words: `eviction`, `clock`. */
  readonly check: string;
  /** What was found: a sentence. */
  readonly found: string;
  /** What to set or run: a sentence, or empty where there is nothing to do. */
  readonly remedy: string;
}

/**
 * One attempt to send one email. The same object is passed to all the verbs.
 * See {@link Ledger.claim}.
 */
export interface Attempt {
  /** Which email: 22 characters, see `deriveKey()`. */
  readonly key: string;
  /** Which attempt: 16 random characters, see `createToken()`. */
  readonly token: string;
  /** How long a claim lives without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
  /** How long an outcome is kept, in milliseconds. */
  readonly retentionMs: number;
  /** The job that the email is sent for. */
  readonly job?: JobRef | undefined;
  /** The name of the sender, for people. Never an address, never parsed. */
  readonly by?: string | undefined;
  /** Hash of what the job is made of, see `digestOf()`. */
  readonly digest?: string | undefined;
  /** Hash of the payload that must not change under one key, see `fingerprintOf()`. */
  readonly fingerprint?: string | undefined;
}

/** What {@link Ledger.claim} is asked. */
export interface ClaimRequest extends Attempt {
  /** Claim and dispatch in one step. @default false */
  readonly dispatched?: boolean | undefined;
}

/** What {@link Ledger.settle} is asked: the attempt and its outcome. */
export type Settlement = Attempt &
  (
    | {
        readonly outcome: 'sent';
        /** What duplicates get back: JSON, so never an empty text. */
        readonly result?: string | undefined;
        readonly messageId?: string | undefined;
        /** Which of its recipients were refused, as codes. */
        readonly note?: string | undefined;
        /** The ledger acknowledged no dispatch of this attempt: a cancellation stays. */
        readonly undispatched?: true | undefined;
      }
    | {
        readonly outcome: 'rejected' | 'skipped';
        readonly note?: string | undefined;
        readonly messageId?: string | undefined;
      }
    | {
        readonly outcome: 'in-doubt';
        readonly note?: string | undefined;
        readonly messageId?: string | undefined;
        /** See {@link LedgerRecord.lateNotSent}. */
        readonly lateNotSent?: true | undefined;
      }
  );

/** What {@link Ledger.resolve} is asked: a verdict about one doubt. */
export interface Resolution {
  /** Which email. */
  readonly key: string;
  /** The token of the record in doubt. */
  readonly token: string;
  /** Whether the email was sent. */
  readonly verdict: 'sent' | 'not-sent';
  /** Who or what decided, and why, for people: becomes `resolvedBy` of the record. */
  readonly by: string;
  /** By what means the outcome was found, for metrics; no ledger stores it. @default a person */
  readonly means?: 'resolver' | 'sweeper' | 'confirm-sent' | undefined;
  /** How long the outcome is kept, in milliseconds. */
  readonly retentionMs: number;
}

/** What {@link Ledger.cancel} is asked. */
export interface Cancellation {
  /** Which email. */
  readonly key: string;
  /** The name of the one who cancels, for people. */
  readonly by?: string | undefined;
  /** How long the cancellation is kept, in milliseconds. */
  readonly retentionMs: number;
}

/**
 * The same as `settle`. A caller that does not wait for `reply` repeats it by `settle` if it fails.
 * See {@link Ledger.settleVia}.
 */
export type SettleVia = (settlement: Settlement) => {
  readonly reply: Promise<SettleReply>;
  /**
   * Resolves when the command is written to the connection: later commands are executed after it.
   */
  readonly flushed: Promise<void> | undefined;
};
