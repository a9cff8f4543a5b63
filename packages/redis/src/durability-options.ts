import { OptionError } from '@sendonce/core';
import {
  checkBoolean,
  checkTimer,
  checkNames,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import type { RedisClient } from './client.ts';

/** What must have happened to a dispatch before its email may leave. */
export interface Durability {
  /**
   * How many replicas must have it (WAIT). Only all of them are proof against every failover: with
   * fewer, one that lags may be promoted. Sentinel and the Cluster prefer the one that has received
   * most, but only among those they can reach, and Sentinel looks at `replica-priority` first.
   * @default 0
   */
  readonly replicas?: number | undefined;
  /**
   * Whether it must be on disk, on the master and on so many replicas (WAITAOF: Redis 7.2 or
   * Valkey, with `appendonly yes`). @default false
   */
  readonly fsync?: boolean | undefined;
  /**
   * How long to wait for it, in milliseconds: well below half a lease. The disk takes up to a
   * second and more with `appendfsync everysec`. @default 1000, with fsync 3000
   */
  readonly answerWithinMs?: number | undefined;
}

const NAMES: OptionNames<Durability> = { replicas: true, fsync: true, answerWithinMs: true };

/** The options with their defaults. @throws {OptionError} */
export function checkDurability(durability: unknown): {
  replicas: number;
  fsync: boolean;
  answerWithinMs: number;
} {
  checkShape(durability);
  const { replicas = 0, fsync = false } = durability;
  const { answerWithinMs = fsync ? 3_000 : 1_000 } = durability;
  if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > 100) {
    throw wrongValue('durability.replicas', 'a whole number from 1 to 100', replicas);
  }
  checkBoolean('durability.fsync', fsync);
  // 0 would wait forever.
  checkTimer('durability.answerWithinMs', answerWithinMs);
  if (replicas === 0 && !fsync) {
    throw new OptionError(
      'durability',
      'Expected "durability" to ask for something: replicas from 1, or fsync: true. Leave it out to wait for nothing.',
    );
  }
  return { replicas, fsync, answerWithinMs };
}

/** @throws {OptionError} where the client cannot wait on the connection that wrote. */
export function checkPipeline(client: RedisClient): void {
  if (typeof client.pipeline === 'function') return;
  throw new OptionError(
    'client',
    'Expected "client" to have a pipeline, as that of ioredis has: "durability" waits on the connection that wrote.',
  );
}

function checkShape(durability: unknown): asserts durability is Durability {
  if (typeof durability !== 'object' || durability === null || Array.isArray(durability)) {
    throw wrongValue('durability', 'an object such as { replicas: 1 }', durability);
  }
  checkNames('"durability"', durability, NAMES);
}

function wrongValue(option: string, expected: string, value: unknown): OptionError {
  return new OptionError(option, `Expected "${option}" to be ${expected}, got ${describe(value)}.`);
}
