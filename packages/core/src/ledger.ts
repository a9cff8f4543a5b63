/**
 * The ledger: one record per email, under its key. This file is the specification that every
 * store implements and that `@sendonce/ledger-tests` checks.
 *
 *     absent --claim--> claimed --dispatch--> dispatched --settle--> sent | rejected
 *       ^                  |                       |
 *       +---- release, ----+                       +--- lease over, no outcome ---> IN DOUBT
 *             lease over                                                              |
 *       ^                                                                             |
 *       +---------------------- resolved "not sent" <---------------------------------+---> sent
 *
 * Expiry means "give back" before the point of no return, and "remember" after it:
 * - `claimed` lives for one lease and then vanishes; nothing was sent.
 * - `dispatched` and in doubt never expire: a doubt that runs out would be an email lost in silence.
 * - `sent`, `rejected` and `cancelled` live for the retention.
 *
 * Rules that hold for every verb:
 * - Losing is a value. An exception means "the ledger could not answer", never "won" or "lost".
 * - Every verb may be executed twice (a client resends what it got no reply for). A repeat with the
 *   same token gives the same answer and changes nothing further: of the record neither a text nor
 *   `atMs` once it is dispatched; a lease, a mark or a retention starts anew.
 * - Every write names its token, except `cancel`, which has none and only wins before dispatch.
 * - Time is the ledger's own clock, never the caller's.
 * - A record that cannot be read throws `UnreadableRecordError` and stays as it is.
 */
export interface Ledger {
  /**
   * Takes the right to send, for one lease. With `dispatched: true` it goes past the point of no
   * return in the same step.
   *
   * Wins when the record is absent, or holds this very token, claimed or dispatched (the repeat of a
   * claim whose reply was lost). Otherwise it changes nothing and tells why: in this order
   * `cancelled`, `conflict` (both sides have a fingerprint and they differ), then the state. A doubt is
   * told even to the token that holds it: others were told so, and only a heartbeat or an outcome ends it.
   */
  claim(request: ClaimRequest): Promise<ClaimReply>;

  /**
   * The point of no return: compare-and-set on the token, at the last instant before the effect can
   * become visible. Only after the answer `dispatched` may the email leave.
   *
   * `expired`: the record is gone, the lease was over. Any other answer: another attempt, a
   * cancellation, an outcome or a doubt stands there, be it this token's own (never `conflict`). From
   * here the record no longer expires; it is in doubt when two leases pass without heartbeat and without
   * outcome (one for the mark "still being sent", one more in silence).
   */
  dispatch(attempt: Attempt): Promise<DispatchReply>;

  /**
   * Records the outcome, kept for the retention, or (`in-doubt`) that nobody knows it.
   *
   * It is written over an absent record, over this token's own record whatever its state (a sender
   * that wakes up late turns doubt, and even a person's resolution, into fact) and over another
   * attempt's mere claim, whose dispatch then fails. It is `lost` where another attempt has dispatched
   * or settled, and over a cancellation, which only `sent` replaces: whoever was told "cancelled" will
   * see no email leave. `in-doubt` never replaces an outcome, and keeps the time of this token's dispatch.
   */
  settle(settlement: Settlement): Promise<SettleReply>;

  /**
   * Gives back a claim, dispatched or not, because nothing was sent: the record becomes absent.
   * `released` when it is absent afterwards, `lost` when something else stands there, untouched. So does
   * its own record where it is `in-doubt`: others may have been told so and have given up, and nobody
   * would come again; it stays listed.
   */
  release(attempt: Pick<Attempt, 'key' | 'token'>): Promise<ReleaseReply>;

  /**
   * Renews live claims, all in one command; answers in the same order. A claimed record gets a new
   * lease; a dispatched one a new mark "still being sent", which ends a doubt by silence. `lost`: this
   * token no longer holds it open, or the record cannot be read; the others are renewed.
   */
  heartbeat(attempts: readonly Attempt[]): Promise<readonly HeartbeatReply[]>;

  /** The record under a key, or undefined when it is absent. */
  read(key: string): Promise<LedgerRecord | undefined>;

  /**
   * All records that are past dispatch and without outcome (`open`), or those of them whose sender
   * fell silent or said that it does not know (`in-doubt`). Those that are silent for longest come
   * first. Read in pages: a record that settles meanwhile may be missing. A record that cannot be
   * read is thrown as UnreadableRecordError after all the others.
   */
  list(query: { readonly state: 'open' | 'in-doubt' }): AsyncIterable<LedgerRecord>;

  /**
   * Ends a doubt: `sent` keeps the record for the retention, `not-sent` removes it, so that the next
   * attempt may send. Names the token of the doubt, so that a verdict about one attempt never
   * decides another one. Only a record in doubt is resolved, and a rejected one by `not-sent` (the
   * cause is mended, let it be tried again); `not-in-doubt` tells what stands there.
   */
  resolve(resolution: Resolution): Promise<ResolveReply>;

  /**
   * Forbids an email that was not dispatched yet, for the retention: from absent, or from another
   * attempt's claim, whose dispatch then fails. Otherwise `too-late`, never something in between.
   */
  cancel(cancellation: Cancellation): Promise<CancelReply>;

  /**
   * For a store that learns by itself that attempts are lost (the session that held their locks has
   * died): calls the listener with their tokens at once, so that nobody waits for the next heartbeat.
   * Called once for each ledger, before its first heartbeat.
   */
  onLost?(listener: (tokens: readonly string[]) => void): void;

  /**
   * For a store on the server of the queue: a `settle` that goes by the queue's own connection, so that
   * the server executes it before the acknowledgement that follows on it.
   * Undefined where the connection leads elsewhere, or where this is a copy with a settle() of its own.
   */
  settleOn?(connection: unknown): Promise<SettleOn | undefined>;

  /**
   * Checks what the promise rests on: eviction, durability, rights, versions. `perform()` runs it once
   * for each ledger and warns of errors and warnings. What cannot be checked is a finding, not an error.
   */
  doctor?(): Promise<readonly Finding[]>;
}

/** Something that a store needs in order to keep what it acknowledges. */
export interface Finding {
  /** `error`: emails may be sent twice or not at all. `warning`: after a crash. `info`: to know. */
  readonly severity: 'error' | 'warning' | 'info';
  /** One or two words: `eviction`, `clock`. */
  readonly check: string;
  /** What was found: a sentence. */
  readonly found: string;
  /** What to set or run: a sentence, or nothing where there is nothing to do. */
  readonly remedy: string;
}

/** One attempt to send one email. The same object goes through all the verbs. */
export interface Attempt {
  /** Which email: 22 characters, see `deriveKey()`. */
  readonly key: string;
  /** Which attempt: 16 random characters, see `createToken()`. */
  readonly token: string;
  /** How long a claim lives without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
  /** How long an outcome is kept, in milliseconds. */
  readonly retentionMs: number;
  /** Who tries, for people: `queue:jobId`. Never an address. */
  readonly by?: string | undefined;
  /** Hash of the payload that must not change under one key, see `fingerprintOf()`. */
  readonly fingerprint?: string | undefined;
}

export interface ClaimRequest extends Attempt {
  /** Claim and dispatch in one step. @default false */
  readonly dispatched?: boolean;
}

export type Settlement = Attempt &
  (
    | {
        readonly outcome: 'sent';
        /** What duplicates get back: JSON, so never an empty text. */
        readonly result?: string | undefined;
        readonly messageId?: string | undefined;
      }
    | {
        readonly outcome: 'rejected' | 'in-doubt';
        readonly note?: string | undefined;
        readonly messageId?: string | undefined;
      }
  );

export interface Resolution {
  readonly key: string;
  /** The token of the record in doubt. */
  readonly token: string;
  readonly verdict: 'sent' | 'not-sent';
  /** Who or what decided, for people. */
  readonly by: string;
  /** By what means it was found out, for who counts; no ledger keeps it. @default a person */
  readonly means?: 'resolver' | 'sweeper' | 'confirm-sent' | undefined;
  readonly retentionMs: number;
}

export interface Cancellation {
  readonly key: string;
  readonly by?: string | undefined;
  readonly retentionMs: number;
}

export type RecordState = 'claimed' | 'dispatched' | 'in-doubt' | 'sent' | 'rejected' | 'cancelled';

/** What the ledger knows about one email. */
export interface LedgerRecord {
  readonly key: string;
  readonly state: RecordState;
  /** The attempt that wrote it; empty on a cancellation. */
  readonly token: string;
  /**
   * When it was claimed, dispatched (also where it is in doubt) or settled: the ledger's clock,
   * milliseconds since 1970.
   */
  readonly atMs: number;
  readonly by?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly messageId?: string | undefined;
  /** Why it was rejected or is in doubt, or who resolved it. Codes, never text of the email. */
  readonly note?: string | undefined;
  /** The result of the original, as JSON. */
  readonly result?: string | undefined;
}

/** Why an attempt may not send, with the record that stands in its way. */
export type Loss =
  | { readonly state: 'duplicate'; readonly record: LedgerRecord }
  /** Another attempt holds it; it gives back or falls in doubt after `retryAfterMs` at the latest. */
  | { readonly state: 'busy'; readonly record: LedgerRecord; readonly retryAfterMs: number }
  | {
      readonly state: 'in-doubt';
      readonly record: LedgerRecord;
      /** How long ago it was dispatched, by the ledger's own clock. */
      readonly dispatchedAgoMs: number;
    }
  | { readonly state: 'cancelled'; readonly record: LedgerRecord }
  | { readonly state: 'conflict'; readonly record: LedgerRecord };

export type ClaimReply = { readonly state: 'won' } | Loss;
export type DispatchReply = { readonly state: 'dispatched' } | { readonly state: 'expired' } | Loss;
export type SettleReply =
  | { readonly state: 'settled' }
  | { readonly state: 'lost'; readonly record: LedgerRecord };

/** The same as `settle`; whoever does not wait for its reply repeats it by `settle` where it fails. */
export type SettleOn = (settlement: Settlement) => {
  readonly reply: Promise<SettleReply>;
  /** Until it has been written to the connection: what is sent there afterwards is executed after it. */
  readonly left: Promise<void> | undefined;
};
export type ReleaseReply = { readonly state: 'released' | 'in-doubt' | 'lost' };
export type HeartbeatReply = 'kept' | 'lost';
export type ResolveReply =
  | { readonly state: 'resolved' }
  | { readonly state: 'not-in-doubt'; readonly record: LedgerRecord | undefined };
export type CancelReply =
  | { readonly state: 'cancelled' }
  | { readonly state: 'too-late'; readonly record: LedgerRecord };
