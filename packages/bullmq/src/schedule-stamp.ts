import { deriveKey, fingerprintOf, KeyChangedError, ScheduleError } from '@sendonce/core';
import { createToken, differingFields, hashFields } from '@sendonce/core/ledger';

/**
 * The versions of the stamp's format. A format that an older worker would misread gets the next
 * one: without its `notAfterMs`, version 1, it would send an email whose time is over.
 */
type StampVersion = 1 | 2;
const NEWEST_VERSION = 2;

/**
 * The stamp of a scheduled email, in the options of its job (`opts.sendonce`): which call scheduled
 * it, and under which key. BullMQ stores options that it does not know, on all of its backends.
 */
export interface ScheduleStamp {
  readonly version: StampVersion;
  /**
   * Random, one per call of `schedule()`. It shows whether this call or an earlier one added the
   * job.
   */
  readonly token: string;
  readonly key: string;
  /** One short hash per part of the key. They show which part changed, but not its value. */
  readonly parts: string;
  readonly fingerprint?: string | undefined;
  readonly occurrence?: string | number | undefined;
  /** When the time of the email is over, in ms since 1970. In version 2 only. */
  readonly notAfterMs?: number | undefined;
}

/** The part of a job that a stamp needs. */
interface StampedJob {
  readonly id?: string | undefined;
  readonly opts?: object | undefined;
}

/** A stamp with a new token. */
export function createStamp(fields: Omit<ScheduleStamp, 'version' | 'token'>): ScheduleStamp {
  const version = fields.notAfterMs === undefined ? 1 : 2;
  return { ...fields, version, token: createToken() };
}

/**
 * The stamp of a job that `delayedEmails()` scheduled; undefined on any other job.
 * @throws {ScheduleError} for a stamp that another version of sendonce wrote. Without it the key
 *   and the occurrence of the email are unknown, so a guess could send a second email.
 */
export function stampOf({ id, opts }: StampedJob): ScheduleStamp | undefined {
  const stamp = rawStamp(opts);
  if (stamp === undefined || isReadable(stamp)) return stamp;
  throw new ScheduleError(
    `The job ${id} was scheduled by another version of sendonce: its stamp has version ` +
      `${JSON.stringify(stamp.version) ?? 'none'}, and this program reads versions up to ${NEWEST_VERSION}. This ` +
      'attempt sent nothing. Run the version of sendonce that scheduled the job, then retry the job.',
  );
}

/**
 * Whether the call of `schedule()` with this token added the job. Any version of a stamp shows it.
 */
export function isStampedWith(token: string, { opts }: StampedJob): boolean {
  return rawStamp(opts)?.token === token;
}

/**
 * When the time of a scheduled email is over, as `delayedEmails()` reports it: of any version of a
 * stamp.
 */
export function notAfterOf({ opts }: StampedJob): Date | undefined {
  const ms = rawStamp(opts)?.notAfterMs;
  return Number.isSafeInteger(ms) ? new Date(ms as number) : undefined;
}

function rawStamp(opts: object | undefined): Partial<ScheduleStamp> | undefined {
  const stamped: { readonly sendonce?: Partial<ScheduleStamp> } = opts ?? {};
  return stamped.sendonce;
}

function isReadable(stamp: Partial<ScheduleStamp>): stamp is ScheduleStamp {
  const { version, token, key, parts, notAfterMs } = stamp;
  const isKnown = version === 1 || (version === 2 && Number.isSafeInteger(notAfterMs));
  return isKnown && [token, key, parts].every((text) => typeof text === 'string');
}

/** The key of the selected parts. An occurrence makes another email on purpose. */
export function deriveEmailKey(selected: unknown, occurrence: string | number | undefined): string {
  return deriveKey(occurrence === undefined ? selected : [selected, { occurrence }]);
}

/** The hashes of a key's parts for its stamp. The parts of a list are named by their index. */
export function hashParts(selected: unknown, key: string): string {
  // The key was derived from them, so they are plain JSON.
  const hasParts = typeof selected === 'object' && selected !== null;
  return hasParts ? hashFields(selected, key) : fingerprintOf(selected, key);
}

/**
 * The key of a scheduled email, if the processor's own `key` selects the same.
 * @throws {KeyChangedError} if it selects a key other than the one under which the email was
 *   scheduled.
 */
export function checkScheduledKey(stamp: ScheduleStamp, selected: unknown): string {
  const key = deriveEmailKey(selected, stamp.occurrence);
  if (key === stamp.key) return key;
  throw new KeyChangedError(
    stamp.key,
    differingFields(stamp.parts, hashParts(selected, stamp.key)),
  );
}
