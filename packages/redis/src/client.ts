import { createHash } from 'node:crypto';
import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';
import { MIXED_SLOTS_REMEDY, unavailable } from './unavailable.ts';

/**
 * The few methods that the ledger needs of a client: those of an ioredis `Redis` or `Cluster`,
 * version 5 or 6. The client stays the caller's: it is never changed, connected or closed here.
 *
 * See {@link redisLedger}. For the package `redis`, use {@link fromNodeRedis}.
 */
export interface RedisClient {
  /** Runs a script that the server knows. */
  evalsha(sha: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
  /** Runs a script that the server does not know yet. */
  eval(script: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
  /** Asks for the version and the settings of the server. */
  info(section: string): Promise<string>;
  /** Any command; for the doctor. */
  call?(command: string, ...args: (string | number)[]): Promise<unknown>;
  /**
   * Only for `durability`: the commands go to one connection, and none of them alone to another
   * one.
   */
  pipeline?(commands: unknown[][]): {
    exec(): Promise<[error: Error | null, reply?: unknown][] | null>;
  };
  /** Whether the client is a `Cluster`. */
  readonly isCluster?: boolean | undefined;
  /** Of a Cluster: the nodes of each slot, as the client knows them. Only for `durability`. */
  readonly slots?: readonly (readonly string[])[] | undefined;
  /** Read for `keyPrefix`, which is refused, and for the host in errors. */
  readonly options?: unknown;
  /** Of ioredis: `end` when the client was closed. */
  readonly status?: unknown;
}

/** @throws {OptionError} when it is no ioredis client, or one with `keyPrefix`. */
export function checkClient(client: unknown): asserts client is RedisClient {
  const shape = client as Record<string, unknown> | null | undefined;
  const methods = ['evalsha', 'eval', 'info'];
  if (
    typeof shape !== 'object' ||
    !shape ||
    methods.some((name) => typeof shape[name] !== 'function')
  ) {
    throw new OptionError(
      'client',
      `Expected "client" to be an ioredis client such as new Redis(url), or fromNodeRedis(client), got ${describe(client)}.`,
    );
  }
  const options = shape['options'] as Record<string, unknown> | undefined;
  const nodes = options?.['redisOptions'] as Record<string, unknown> | undefined;
  if (options?.['keyPrefix'] || nodes?.['keyPrefix']) {
    throw new OptionError(
      'client',
      'Expected a client without "keyPrefix": it would be put before the keys of this ledger and not ' +
        "before those of another client, and the two would not see each other's claims. Pass " +
        'redisLedger(client, { prefix }) instead, with a separate client (BullMQ refuses it as well).',
    );
  }
  if (shape['isCluster'] && mixesSlots(options ?? {})) {
    throw new OptionError(
      'client',
      `Expected a Cluster that can run scripts. ${MIXED_SLOTS_REMEDY}`,
    );
  }
}

/**
 * ioredis 5 puts the scripts of several slots into one pipeline, which it then refuses; ioredis 6
 * does not.
 */
function mixesSlots(options: Record<string, unknown>): boolean {
  const ignored = options['autoPipeliningIgnoredCommands'];
  const isIoredis6 = 'clusterNodeRetryStrategy' in options;
  if (!options['enableAutoPipelining'] || isIoredis6) return false;
  return !['eval', 'evalsha'].every((name) => Array.isArray(ignored) && ignored.includes(name));
}

/** A Lua script as a function: EVALSHA, and EVAL where the server has forgotten it (NOSCRIPT). */
export type Script<Reply = unknown> = (
  client: RedisClient,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<Reply>;

export function defineScript(lua: string): Script {
  const sha = shaOf(lua);
  return async (client, keys, args) => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT'))
        throw unavailable(error, client);
    }
    return client.eval(lua, keys.length, ...keys, ...args).catch((error: unknown) => {
      throw unavailable(error, client);
    });
  };
}

export function shaOf(lua: string): string {
  return createHash('sha1').update(lua).digest('hex');
}
