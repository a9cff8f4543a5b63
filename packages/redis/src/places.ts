import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';

/**
 * The names of all keys in Redis. The first character of an email's key is its shard, and a hash
 * tag: what belongs to a shard is in one slot of a Cluster.
 */
export interface Places {
  /** The record of an email. */
  readonly record: (key: string) => string;
  /** The open dispatches of a shard; takes the shard, or any key of it. */
  readonly index: (key: string) => string;
  /** The journal of an email. */
  readonly lines: (key: string) => string;
  /** The names of emails, by their hash, that the journal took on a day. */
  readonly names: (nameHash: string, day: number) => string;
  /** The steps that the journal counted in an hour. */
  readonly counts: (hour: number) => string;
}

export function placesOf(prefix: string): Places {
  return {
    record: (key) => `${prefix}:{${key[0]}}${key.slice(1)}`,
    index: (key) => `${prefix}:{${key[0]}}:open`,
    lines: (key) => `${prefix}:{${key[0]}}${key.slice(1)}:journal`,
    names: (nameHash, day) => `${prefix}:{${nameHash[0]}}:names:${day}`,
    counts: (hour) => `${prefix}:{counts}:${hour}`,
  };
}

/** @throws {OptionError} */
export function checkPrefix(prefix: unknown): void {
  if (typeof prefix === 'string' && /^[^{}\s]+$/.test(prefix)) return;
  const got = typeof prefix === 'string' ? JSON.stringify(prefix) : describe(prefix);
  throw new OptionError(
    'prefix',
    `Expected "prefix" to be a word without braces and spaces, got ${got}.`,
  );
}
