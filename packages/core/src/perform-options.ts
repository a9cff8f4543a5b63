import { DAY_MS } from './durations.ts';
import type { DispatchMode, Verdict } from './claim.ts';
import { OptionError, type ResultError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { Ledger, SettleVia } from './ledger.ts';
import type { JobRef, LedgerRecord, Loss } from './record.ts';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkJournal,
  checkLeaseAndRetention,
  checkLedger,
  checkNames,
  checkOneOf,
  checkText,
  describe,
  type OptionNames,
} from './store/check-options.ts';

/**
 * What a return without a dispatch means in `at-send`.
 * See {@link PerformOptions.undispatched}.
 */
export type Undispatched = 'in-doubt' | 'sent' | 'skipped';

/** The options of {@link perform}: which email, in which ledger, and how. */
export interface PerformOptions {
  /** Where the record of the email is kept. */
  readonly ledger: Ledger;
  /** Which email: from `deriveKey()`. */
  readonly key: string;
  /**
   * When the email passes the point of no return.
   *
   * `before-processor`: claim and dispatch in one round trip. Any error that is not known to mean
   * "nothing was sent" leaves the record in doubt. `at-send`: the effect marks the point with
   * {@link Claim.dispatch} or the nodemailer plugin. Everything thrown before that point is safe to
   * retry. `atSend(transporter)` of `@sendonce/mail` is this mode and installs the plugin. Until
   * this process has something that can dispatch, an end without a dispatch is a doubt.
   * @default 'before-processor'
   */
  readonly dispatch?: DispatchMode | undefined;
  /**
   * What it means in `at-send` when the effect returns, nothing was dispatched, and nothing was
   * skipped.
   *
   * `in-doubt`: an email may have left unseen; a person finds out. `sent`: the effect sends by
   * means that sendonce does not see. Such an outcome is not written over a cancellation.
   * `skipped`: the effect decided not to send, and everything that it sends passes a dispatch.
   * @default 'in-doubt'
   */
  readonly undispatched?: Undispatched | undefined;
  /** How long a claim lives without a heartbeat, in ms. @default 30_000 */
  readonly leaseMs?: number | undefined;
  /** How long an outcome is kept, in ms; at least the lease. @default 604_800_000 (7 days) */
  readonly retentionMs?: number | undefined;
  /**
   * How long to wait for the result of another attempt that has the email, in ms, for callers that
   * need it (a cron script, an HTTP request). Then the answer is `busy`.
   * @default 0
   */
  readonly waitMs?: number | undefined;
  /** From `fingerprintOf()`: another fingerprint under the same key is a conflict. */
  readonly fingerprint?: string | undefined;
  /** The job that the email is sent for. */
  readonly job?: JobRef | undefined;
  /** Hash of what the job is made of: a duplicate with another one is reported. @default none */
  readonly digest?: string | undefined;
  /** The name of the sender, for people, such as a script. Never an address, never parsed. */
  readonly by?: string | undefined;
  /** The Date that all attempts of this email carry, in ms since 1970. */
  readonly emailDateMs?: number | undefined;
  /**
   * When the time of this email is over, in ms since 1970, by the clock of this machine. From then
   * on it is not sent: it is `skipped`, with the reason `not-after`. That is decided before the
   * effect runs, and again directly before and after each dispatch that the effect makes
   * ({@link Claim.dispatch}, the nodemailer plugin, a provider transport). A doubt about an earlier
   * attempt stays a doubt, and is not performed again.
   * @default none: the email may always be sent
   */
  readonly notAfterMs?: number | undefined;
  /** Largest result kept for duplicates, in bytes of JSON. @default 16_384 */
  readonly maxResultBytes?: number | undefined;
  /** What an error of the effect means. Undefined means "unknown". */
  readonly classify?: ((error: unknown) => Verdict | undefined) | undefined;
  /** Finds out about an email in doubt, for example by a look-up at the provider. */
  readonly resolver?: Resolver | undefined;
  /**
   * For how long the provider recognises the idempotency key that the effect sends (made from
   * `claim.key`), in ms. Within that time of its dispatch an email in doubt is performed again,
   * under the same key: the provider treats it as the same email. After that time the email stays
   * in doubt. Set this only for an effect that sends such a key, and the same bytes each time.
   * @default none: an email in doubt is never performed again without a verdict
   */
  readonly replayWithinMs?: number | undefined;
  /**
   * From {@link Ledger.settleVia}: records `sent` without waiting for the reply, where the caller's
   * next command on that connection acknowledges the job. If it fails, the ledger repeats it. After
   * one lease the event `unrecorded` is emitted, and the email is in doubt until the ledger answers
   * again. If this process ends before that, the doubt stays.
   * @default the outcome is recorded before `perform()` resolves
   */
  readonly settleVia?: SettleVia | undefined;
  /**
   * What happens if a second POST goes to the same host and path while the email is being sent: an
   * SDK that repeats requests automatically may send two emails. Node's `diagnostics_channel` shows
   * the requests of `fetch`, undici and `node:http`, and so those of most SDKs. Nothing is
   * prevented.
   *
   * `warn`: the event `repeated`, and a process warning once per queue; `classify` is not asked
   * about an error, because that of the second request proves nothing about the first. `ignore`:
   * nothing is watched. The requests of a processor count from its dispatch on: in
   * `before-processor` all of them.
   * @default 'warn'
   */
  readonly onRepeatedRequest?: 'warn' | 'ignore' | undefined;
  /**
   * Whether nothing is sent: the effect does not run, and the email is recorded as `skipped` with
   * the reason `test-mode`. For a staging system that has the jobs of real customers. Such a record
   * blocks nothing: without `testMode`, the next attempt sends. An email that was sent, cancelled
   * or is in doubt keeps its record, and nothing is replayed. One process warning says that it is
   * on.
   * @default false
   */
  readonly testMode?: boolean | undefined;
  /** Keeps every step, for histories and counts. No email waits for it. @default none */
  readonly journal?: Journal | undefined;
  /**
   * What people call this email in the journal: an order number. Never an address, unless you want
   * it stored.
   */
  readonly label?: string | undefined;
  /**
   * Called for every step, synchronously; it may be async. If it fails, that is a process warning.
   */
  readonly onEvent?: ((event: PerformEvent) => unknown) | undefined;
}

/**
 * What differs from email to email.
 * See {@link PerformOptions}.
 */
export type EmailOptions = Pick<
  PerformOptions,
  | 'key'
  | 'job'
  | 'digest'
  | 'by'
  | 'fingerprint'
  | 'emailDateMs'
  | 'notAfterMs'
  | 'settleVia'
  | 'label'
  | 'onEvent'
> & {
  /** Whether a `perform()` that waits has reported "busy" before. */
  readonly isRepeat?: boolean | undefined;
};

/**
 * What many emails share: one object, because copying it for each email costs more than a claim.
 * See {@link PerformOptions}.
 */
export type SharedOptions = Omit<PerformOptions, keyof EmailOptions | 'waitMs'>;

/**
 * What a resolver, such as a look-up at the provider, found out about an email.
 * See {@link Resolver}.
 */
export type ResolverVerdict = 'sent' | 'not-sent' | 'unknown';

/**
 * Finds out about an email in doubt. `unknown`, or an error, leaves it in doubt.
 *
 * @example const resolver: Resolver = ({ record }) => lookUpInMailLog(record.messageId);
 */
export type Resolver = (doubt: {
  readonly record: LedgerRecord;
  /** What the effect threw, where the doubt is new and this attempt's own. */
  readonly error?: unknown;
}) => Promise<ResolverVerdict>;

/** One step of one email, for {@link PerformOptions.onEvent}. */
export interface PerformEvent {
  /** What happened. */
  readonly type:
    | 'claimed'
    | 'dispatched'
    | Performed<unknown>['state']
    | 'released'
    /** An email in doubt is performed again, within `replayWithinMs`. */
    | 'replayed'
    /** The lease was lost while the effect ran. */
    | 'lost'
    /** The mode is `at-send`, and the effect ended without a dispatch: is the plugin missing? */
    | 'undispatched'
    /**
     * An email was about to leave after its effect had ended, and was not sent: is an `await`
     * missing?
     */
    | 'late-send'
    /** A duplicate was made of other data than the email that was sent: is its key too wide? */
    | 'different-data'
    /**
     * A second POST went to the same host and path while the email was being sent: was it sent
     * twice?
     */
    | 'repeated'
    /** The email was sent, and its result cannot be kept for duplicates: too large, or not JSON. */
    | 'result-dropped'
    /**
     * The email was sent, and some of its recipients were refused: they do not get it, and it is
     * not sent again. `note` has the codes.
     */
    | 'partly-refused'
    /** The ledger did not answer the claim or the dispatch. Nothing was sent. */
    | 'unavailable'
    /**
     * The email was dispatched or may have left, and the ledger did not take its outcome: it may be
     * listed in doubt. Alert on it.
     */
    | 'unrecorded';
  /** Which email. */
  readonly key: string;
  /** Which attempt. */
  readonly token: string;
  /** The job that the email is sent for. */
  readonly job: JobRef | undefined;
  /** The name of the sender, for people. For a loss, of the one who sent or cancelled. */
  readonly by: string | undefined;
  /** Of `sent`, `rejected` and `in-doubt`, if it is known. */
  readonly messageId?: string | undefined;
  /**
   * Why it was rejected, was skipped or is in doubt, or was released because it was refused for
   * now; of `repeated`, the host. A code, never text of the email.
   */
  readonly note?: string | undefined;
  /**
   * Of `released`, if the mail server or the provider refused the email for now and asked to wait:
   * for how long, in milliseconds. See {@link EffectReport.retryAfterMs}.
   */
  readonly retryAfterMs?: number | undefined;
}

/**
 * What happened to the email: `sent`, `skipped`, or the {@link Loss} that kept this attempt from
 * sending. If nothing was sent, the error of the effect is thrown instead.
 */
export type Performed<R> =
  | {
      readonly state: 'sent';
      readonly value: R;
      /** Why the result could not be kept for duplicates. */
      readonly resultError?: ResultError | undefined;
    }
  /** The effect decided not to send, or the time of the email was over (`not-after`). */
  | { readonly state: 'skipped'; readonly reason: string }
  | Exclude<Loss, { state: WithMore }>
  | LossWithMore<R>;

type WithMore = 'busy' | 'duplicate' | 'in-doubt' | 'rejected';

/** What `perform()` knows in addition to the loss that the ledger replied. */
type LossWithMore<R> =
  | (Omit<LossOf<'busy'>, 'record'> & {
      /** Undefined where the claim was lost and the attempt that has it now is not known. */
      readonly record?: LedgerRecord | undefined;
    })
  | (LossOf<'duplicate'> & {
      /** The result of the original processor, if it had one. */
      readonly value: R | undefined;
    })
  | (LossOf<'in-doubt'> & {
      /** What the effect threw, where the doubt is this attempt's own. */
      readonly error?: unknown;
      /** For how long the email can be performed again, in ms, see `replayWithinMs`. */
      readonly replayForMs?: number | undefined;
    })
  | (LossOf<'rejected'> & {
      /** What the effect threw, where this attempt was rejected. */
      readonly error?: unknown;
    });

type LossOf<State> = Extract<Loss, { readonly state: State }>;

/** 30 seconds. See {@link PerformOptions.leaseMs}. */
export const DEFAULT_LEASE_MS = 30_000;
/** 7 days. See {@link PerformOptions.retentionMs}. */
export const DEFAULT_RETENTION_MS = 7 * DAY_MS;
/** 16 KiB. See {@link PerformOptions.maxResultBytes}. */
export const DEFAULT_MAX_RESULT_BYTES = 16_384;

/**
 * Those that wrappers share with `perform()`.
 * See {@link SharedOptions}.
 */
export const SHARED_OPTION_NAMES: OptionNames<SharedOptions> = {
  ledger: true,
  dispatch: true,
  undispatched: true,
  leaseMs: true,
  retentionMs: true,
  maxResultBytes: true,
  classify: true,
  resolver: true,
  replayWithinMs: true,
  onRepeatedRequest: true,
  testMode: true,
  journal: true,
};

const OPTION_NAMES: OptionNames<PerformOptions> = {
  ...SHARED_OPTION_NAMES,
  key: true,
  fingerprint: true,
  job: true,
  digest: true,
  by: true,
  label: true,
  waitMs: true,
  emailDateMs: true,
  notAfterMs: true,
  settleVia: true,
  onEvent: true,
};

/** Checks what a caller of `perform()` gave. @throws {OptionError} */
export function checkOptions(options: PerformOptions): void {
  checkNames('perform()', options, OPTION_NAMES);
  checkPerformOptions(options);
}

/**
 * Checks all options but the key. Wrappers call it at construction. @throws {OptionError}
 * See {@link perform}.
 */
export function checkPerformOptions(options: Omit<PerformOptions, 'key'>): void {
  const {
    leaseMs = DEFAULT_LEASE_MS,
    retentionMs = DEFAULT_RETENTION_MS,
    dispatch = 'before-processor',
  } = options;
  checkLedger(options.ledger);
  checkLeaseAndRetention(leaseMs, retentionMs);
  checkDeadline(options.ledger, leaseMs);
  refuseFunction(dispatch);
  checkOneOf('dispatch', dispatch, ['before-processor', 'at-send']);
  checkOneOf('undispatched', options.undispatched ?? 'in-doubt', ['in-doubt', 'sent', 'skipped']);
  refuseWithoutUse(options, dispatch);
  const { maxResultBytes = DEFAULT_MAX_RESULT_BYTES } = options;
  if (!Number.isSafeInteger(maxResultBytes) || maxResultBytes < 0) {
    throw new OptionError(
      'maxResultBytes',
      `Expected "maxResultBytes" to be a whole number of bytes from 0, got ${describe(maxResultBytes)}.`,
    );
  }
  if (options.waitMs) checkDuration('waitMs', options.waitMs);
  if (options.replayWithinMs !== undefined) checkDuration('replayWithinMs', options.replayWithinMs);
  if (options.testMode !== undefined) checkBoolean('testMode', options.testMode);
  if (options.journal !== undefined) checkJournal(options.journal);
  checkJob(options.job);
  checkText('by', options.by);
  checkText('label', options.label);
  checkText('fingerprint', options.fingerprint);
  checkText('digest', options.digest);
  checkOneOf('onRepeatedRequest', options.onRepeatedRequest ?? 'warn', ['warn', 'ignore']);
  checkMoment('emailDateMs', options.emailDateMs);
  checkMoment('notAfterMs', options.notAfterMs);
  checkFunction('classify', options.classify, true);
  checkFunction('resolver', options.resolver, true);
  checkFunction('settleVia', options.settleVia, true);
  checkFunction('onEvent', options.onEvent, true);
}

function checkMoment(option: string, ms: unknown): void {
  if (ms === undefined || Number.isSafeInteger(ms)) return;
  throw new OptionError(
    option,
    `Expected "${option}" to be whole milliseconds since 1970, got ${describe(ms)}.`,
  );
}

/**
 * An option that the other options leave without a use: its author believes that it does something.
 */
function refuseWithoutUse(options: Omit<PerformOptions, 'key'>, dispatch: DispatchMode): void {
  if (options.undispatched !== undefined && dispatch !== 'at-send') {
    throw new OptionError(
      'undispatched',
      'Expected no "undispatched" in the mode "before-processor", where every email is dispatched before the ' +
        'processor runs. Remove it, or set dispatch: atSend(transporter) or "at-send".',
    );
  }
  if (options.label !== undefined) checkLabelHasJournal(options);
}

/** Checks that a label has a journal: nothing else keeps it. @throws {OptionError} */
export function checkLabelHasJournal({ journal }: { readonly journal?: unknown }): void {
  if (journal !== undefined) return;
  throw new OptionError(
    'label',
    'Expected "journal" beside "label", got undefined: a label is kept in the journal and nowhere else. ' +
      'Set journal: redisJournal(client), or remove the label.',
  );
}

/** `dispatch: atSend`, or a plugin. */
function refuseFunction(dispatch: unknown): void {
  if (typeof dispatch !== 'function' && (typeof dispatch !== 'object' || dispatch === null)) return;
  throw new OptionError(
    'dispatch',
    `Expected "dispatch" to be "before-processor" or atSend(transporter), got ${describe(dispatch)}. Call atSend() ` +
      'with the transporter that sends.',
  );
}

/** An answer that is older than a lease allows nothing. */
function checkDeadline({ answerWithinMs }: Ledger, leaseMs: number): void {
  if (answerWithinMs === undefined || answerWithinMs <= leaseMs) return;
  throw new OptionError(
    'answerWithinMs',
    `Expected "answerWithinMs" of the ledger (${answerWithinMs}) to be at most "leaseMs" (${leaseMs}): an answer ` +
      'that is older than a lease allows no email. Nothing was sent.',
  );
}

function checkJob(job: unknown): void {
  if (job === undefined) return;
  const { queue, id } = (job ?? {}) as Partial<Record<keyof JobRef, unknown>>;
  if (typeof queue === 'string' && typeof id === 'string') return;
  throw new OptionError(
    'job',
    `Expected "job" to be { queue, id } of two strings, got ${describe(job)}.`,
  );
}
