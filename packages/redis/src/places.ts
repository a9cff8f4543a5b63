import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';

/** Where the record of a key lives, the index of its shard, and the number of its buckets. */
export interface Places {
  readonly record: (key: string) => string;
  /** Of any key of the shard, or of the shard alone. */
  readonly index: (key: string) => string;
  readonly buckets: (key: string) => string;
}

/** 64 shards by the first character of the key: a record and the index of its shard share a slot. */
export const shards: readonly string[] =
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');

export function placesOf(prefix: string): Places {
  return {
    record: (key) => `${prefix}:{${key[0]}}${key.slice(1)}`,
    index: (key) => `${prefix}:{${key[0]}}:open`,
    buckets: (key) => `${prefix}:{${key[0]}}:sent`,
  };
}

/** @throws {OptionError} */
export function checkPrefix(prefix: unknown): void {
  if (typeof prefix === 'string' && /^[^{}\s]+$/.test(prefix)) return;
  throw new OptionError(
    'prefix',
    `Expected "prefix" to be a word without braces and spaces, got ${typeof prefix === 'string' ? JSON.stringify(prefix) : describe(prefix)}.`,
  );
}
