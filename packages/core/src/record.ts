/**
 * A job of a queue, by the names that the queue gives it.
 * See {@link LedgerRecord.job}.
 */
export interface JobRef {
  /** The name of the queue. */
  readonly queue: string;
  /** The id of the job in that queue. */
  readonly id: string;
}

/**
 * The state of one email in the ledger.
 * See {@link LedgerRecord}.
 */
export type RecordState =
  | 'claimed'
  | 'dispatched'
  | 'in-doubt'
  | 'sent'
  | 'rejected'
  /** The processor decided not to send. It blocks nothing: the next claim wins over it. */
  | 'skipped'
  | 'cancelled';

/**
 * What the ledger knows about one email.
 *
 * `by`, `note` and `resolvedBy` are text for people. No program parses them.
 */
export interface LedgerRecord {
  /** Which email: 22 characters, see {@link deriveKey}. */
  readonly key: string;
  /** The state of the email. */
  readonly state: RecordState;
  /** The attempt that wrote the record. Empty on a cancellation. */
  readonly token: string;
  /**
   * When the email was claimed, dispatched (also where it is in doubt) or settled: the ledger's
   * clock, milliseconds since 1970.
   */
  readonly atMs: number;
  /** The job that the email was sent for. */
  readonly job?: JobRef | undefined;
  /** Who sent or cancelled the email, for people. */
  readonly by?: string | undefined;
  /**
   * Hash of what the job was made of, 18 bits: tells a copy from another email under the same key.
   */
  readonly digest?: string | undefined;
  /** Hash of the payload, see {@link fingerprintOf}. */
  readonly fingerprint?: string | undefined;
  /** The Message-ID of the email, with its angle brackets. */
  readonly messageId?: string | undefined;
  /**
   * Why the email was rejected, was skipped or is in doubt; of a sent one, which of its recipients
   * were refused: `refused: cc 550, bcc 451 x2`. Codes, never an address or text of the email.
   */
  readonly note?: string | undefined;
  /** The result of the original processor, as JSON. */
  readonly result?: string | undefined;
  /** Who resolved the doubt and why, for people. */
  readonly resolvedBy?: string | undefined;
  /**
   * Of a doubt: its own sender found out that nothing was sent, but only after others could have
   * read "in doubt". The next attempt may send.
   */
  readonly lateNotSent?: true | undefined;
}

/**
 * Why an attempt may not send, with the record that prevents it.
 * See {@link Ledger.claim}.
 */
export type Loss =
  /** The email was sent before. */
  | { readonly state: 'duplicate'; readonly record: LedgerRecord }
  /** The mail server or provider refused the email permanently. */
  | { readonly state: 'rejected'; readonly record: LedgerRecord }
  | {
      /** Another attempt holds the claim. */
      readonly state: 'busy';
      readonly record: LedgerRecord;
      /** When the other attempt has released the claim or is in doubt, at the latest, in ms. */
      readonly retryAfterMs: number;
    }
  | {
      readonly state: 'in-doubt';
      readonly record: LedgerRecord;
      /** How long ago the email was dispatched, by the ledger's clock, in ms. */
      readonly dispatchedAgoMs: number;
    }
  | { readonly state: 'cancelled'; readonly record: LedgerRecord }
  | {
      /** The key belongs to an email with another fingerprint. */
      readonly state: 'conflict';
      readonly record: LedgerRecord;
      /** The names of the fields that differ. */
      readonly fields: readonly string[];
    };

/** The reply of {@link Ledger.claim}. */
export type ClaimReply = { readonly state: 'won' } | Loss;
/** The reply of {@link Ledger.dispatch}. */
export type DispatchReply = { readonly state: 'dispatched' } | { readonly state: 'expired' } | Loss;
/** The reply of {@link Ledger.settle}. */
export type SettleReply =
  | { readonly state: 'settled' }
  | { readonly state: 'lost'; readonly record: LedgerRecord };
/** The reply of {@link Ledger.release}. */
export type ReleaseReply = {
  /** `in-doubt`: the record stays listed. `lost`: this token no longer holds the record. */
  readonly state: 'released' | 'in-doubt' | 'lost';
};
/**
 * `unknown`: the ledger could not answer about this one, for example because its key was damaged.
 * See {@link Ledger.heartbeat}.
 */
export type HeartbeatReply = 'kept' | 'lost' | 'unknown';
/** The reply of {@link Ledger.resolve}. */
export type ResolveReply =
  | { readonly state: 'resolved' }
  | { readonly state: 'not-in-doubt'; readonly record: LedgerRecord | undefined };
/** The reply of {@link Ledger.cancel}. */
export type CancelReply =
  | { readonly state: 'cancelled' }
  | { readonly state: 'too-late'; readonly record: LedgerRecord };
