import { createHash } from 'node:crypto';
import { LedgerUnavailableError, OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';

/**
 * The few methods that the ledger needs of a client: those of an ioredis `Redis` or `Cluster`,
 * version 5 or 6. The client stays the caller's: it is never changed, connected or closed here.
 */
export interface RedisClient {
  evalsha(sha: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
  info(section: string): Promise<string>;
  /**
   * Only for `durability`: the commands go to one connection, and none of them alone to another
   * one.
   */
  pipeline?(commands: unknown[][]): {
    exec(): Promise<[error: Error | null, reply?: unknown][] | null>;
  };
  readonly isCluster?: boolean;
  /** Of a Cluster: the nodes of each slot, as the client knows them. Only for `durability`. */
  readonly slots?: readonly (readonly string[])[];
  readonly options?: unknown;
  /** Of ioredis: `end` when the client was closed for good. */
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
        'redisLedger(client, { prefix }) instead, with a client of its own (BullMQ refuses it as well).',
    );
  }
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

/**
 * Says "no answer". The cause keeps no command: its arguments may hold the result of a processor.
 */
export function unavailable(error: unknown, client?: RedisClient): LedgerUnavailableError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const cause = Object.assign(new Error(message), { name, stack });
  const server = client && nameOf(client);
  const where = server === undefined ? 'Redis' : `Redis at ${server}`;
  if (client?.status === 'end') {
    return new LedgerUnavailableError(
      `${where} did not answer: the client of the ledger was closed. Nothing was sent by this command. Close the ` +
        'workers first, and then the client.',
      cause,
      { isClosed: true },
    );
  }
  return new LedgerUnavailableError(
    `${where} did not answer (${message}). Whether the command was executed is unknown; it is safe to ` +
      'repeat. Check the connection and that the server accepts writes.',
    cause,
  );
}

/** `host:port` of a server, if its client has them; never more of a URL. */
export function nameOf({ options }: RedisClient): string | undefined {
  const { host, port } = (options ?? {}) as { host?: unknown; port?: unknown };
  return typeof host === 'string' && host ? `${host}:${String(port)}` : undefined;
}
