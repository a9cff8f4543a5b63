import { deriveKey, fingerprintOf, KeyChangedError } from '@sendonce/core';
import { differingFields } from '@sendonce/core/ledger';

/**
 * What a scheduled email carries in the options of its job (`opts.sendonce`): who scheduled it, and
 * under which key. BullMQ stores options that it does not know, on all of its backends.
 */
export interface Mark {
  /** Random, one per call of `schedule()`: tells the job that was added from one that stood there. */
  readonly token: string;
  readonly key: string;
  /** One short hash per part of the key: names the part that changed, never its value. */
  readonly parts: string;
  readonly fingerprint?: string;
  readonly occurrence?: string | number;
}

/** The mark of a job that `delayedEmails()` scheduled; undefined on any other. */
export function markOf({ opts }: { readonly opts: object }): Mark | undefined {
  const mark = (opts as { readonly sendonce?: Mark }).sendonce;
  return typeof mark?.key === 'string' ? mark : undefined;
}

/** The key of what was selected. An occurrence makes another email of it, on purpose. */
export function keyFrom(selected: unknown, occurrence: string | number | undefined): string {
  return deriveKey(occurrence === undefined ? selected : [selected, { occurrence }]);
}

/** The parts of a key for a mark: also those of a list by their number. */
export function partsOf(selected: unknown, key: string): string {
  const parts = Array.isArray(selected) ? Object.fromEntries(selected.entries()) : selected;
  return fingerprintOf(parts, key);
}

/**
 * The key of a scheduled job, by what the processor's own `key` selects.
 * @throws {KeyChangedError} when it is not the one under which the email was scheduled.
 */
export function keyOfScheduled(mark: Mark, selected: unknown): string {
  const key = keyFrom(selected, mark.occurrence);
  if (key === mark.key) return key;
  throw new KeyChangedError(mark.key, differingFields(mark.parts, partsOf(selected, mark.key)));
}
