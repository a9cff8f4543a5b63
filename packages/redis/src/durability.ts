import { LedgerUnavailableError, OptionError } from '@sendonce/core';
import { checkDuration, describe } from '@sendonce/core/ledger';
import { defineScript, type RedisClient, shaOf } from './client.ts';

/** What must have happened to a dispatch before its email may leave. */
export interface Durability {
  /**
   * How many replicas must have it (WAIT). Only all of them are proof against every failover: with
   * fewer, one that lags may be promoted. Sentinel and the Cluster prefer the one that has received
   * most, but only among those they can reach, and Sentinel looks at `replica-priority` first.
   * @default 0
   */
  readonly replicas?: number;
  /**
   * Whether it must be on disk, on the master and on so many replicas (WAITAOF: Redis 7.2 or Valkey,
   * with `appendonly yes`). @default false
   */
  readonly fsync?: boolean;
  /**
   * How long to wait for it, in milliseconds: well below half a lease. The disk takes up to a second and
   * more with `appendfsync everysec`. @default 1000, with fsync 3000
   */
  readonly timeoutMs?: number;
}

/** The command that waits, and how its answer is read. */
export interface Wait {
  readonly replicas: number;
  readonly fsync: boolean;
  readonly command: readonly (string | number)[];
  /** The same without waiting: whether the server knows it and this user may run it. */
  readonly probe: readonly (string | number)[];
  /** What is missing according to the answer, or undefined. */
  readonly missing: (reply: unknown) => string | undefined;
}

/** @throws {OptionError} */
export function waitFor(durability: Durability): Wait {
  const { replicas, fsync, timeoutMs } = checkDurability(durability);
  const within = `within ${timeoutMs} ms (durability.timeoutMs)`;
  const tooFew = (count: number) =>
    count < replicas
      ? `${count} of the ${replicas} replicas of durability.replicas had the record ${within}`
      : undefined;
  if (!fsync) {
    return {
      replicas,
      fsync,
      command: ['WAIT', replicas, timeoutMs],
      probe: ['WAIT', 0, 1],
      missing: (reply) => tooFew(toCount(reply)),
    };
  }
  return {
    replicas,
    fsync,
    command: ['WAITAOF', 1, replicas, timeoutMs],
    probe: ['WAITAOF', 0, 0, 1],
    missing: (reply) => {
      const [local, remote] = (Array.isArray(reply) ? reply : []) as unknown[];
      if (toCount(local) < 1) return `the server had not written the record to disk ${within}`;
      return tooFew(toCount(remote));
    },
  };
}

/** @throws {OptionError} */
export function checkWaiting(client: RedisClient): void {
  if (typeof client.pipeline === 'function') return;
  throw new OptionError(
    'client',
    'Expected "client" to have a pipeline, as that of ioredis has: "durability" waits on the connection that wrote.',
  );
}

/** The reply of a script, and why its writes are not as durable as was asked for, if so. */
export interface Written {
  readonly reply: unknown[];
  readonly undurable?: LedgerUnavailableError;
}

/** The keys and arguments of one script call. */
export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Calls of one script, all on one node; answers in the same order. */
export type CallScript = (
  client: RedisClient,
  calls: readonly Call[],
) => Promise<readonly (Written | Error)[]>;

/**
 * A script and one wait for the writes of all its calls, as one pipeline. WAIT counts the writes of the
 * connection that asks: on a fresh one it succeeds at once and says nothing. A pipeline cannot be torn
 * apart by a reconnect (ioredis and node-redis reject the rest of one that was answered in part, and
 * repeat only a whole one), and on a Cluster it goes to one node. A Lua script cannot wait.
 */
export function defineDurableScript(lua: string, wait: Wait): CallScript {
  const [script, sha] = [defineScript(lua), shaOf(lua)];
  const write = (client: RedisClient, calls: readonly Call[]) =>
    writeAndWait(
      client,
      calls.map(({ keys, args }) => ['evalsha', sha, keys.length, ...keys, ...args]),
      wait,
    );
  return async (client, calls) => {
    let written = await write(client, calls);
    for (let repeats = 0; repeats < MOST_REPEATS && written.some(isToRepeat); repeats++) {
      const again = calls.filter((_, index) => isToRepeat(written[index]!));
      // The plain way loads the script and follows the redirection. The repeat, which changes nothing,
      // writes once more on the right connection, so that the wait counts.
      await Promise.allSettled(again.map(({ keys, args }) => script(client, keys, args)));
      const repeated = await write(client, again);
      written = written.map((first) => (isToRepeat(first) ? repeated.shift()! : first));
    }
    return written;
  };
}

// While a Cluster fails over, its nodes contradict each other for a moment.
const MOST_REPEATS = 5;

function isToRepeat(written: Written | Error): boolean {
  if (!(written instanceof Error)) return false;
  return /^(NOSCRIPT|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)/.test(written.message);
}

async function writeAndWait(
  client: RedisClient,
  writes: readonly (readonly unknown[])[],
  wait: Wait,
): Promise<(Written | Error)[]> {
  // An ioredis whose reconnectOnError returns 2 sends a failed script again, alone, on another
  // connection, while the answer of the wait is here already: then a script is answered last.
  let waitedLast = false;
  const wrote = () => void (waitedLast = false);
  const waited = () => void (waitedLast = true);
  let replies: [Error | null, unknown?][];
  try {
    const pipeline = client.pipeline!([
      ...writes.map((evalsha) => [...evalsha, wrote]),
      ['call', ...wait.command, waited],
    ]);
    replies = (await pipeline.exec()) ?? [];
  } catch (error) {
    // The shards were on one node, by a map that is not right any more: nothing was sent.
    if (writes.length > 1) {
      const alone = writes.map((evalsha) => writeAndWait(client, [evalsha], wait));
      return (await Promise.all(alone)).flat();
    }
    return [error instanceof Error ? error : new Error(String(error))];
  }
  const [waitError, counted] = replies[writes.length] ?? [new Error('no reply to the wait')];
  const lack =
    waitError?.message ??
    (waitedLast ? wait.missing(counted) : 'the script was sent again after the wait');
  return writes.map((_, index) => {
    const [error, reply] = replies[index] ?? [new Error('no reply to a pipeline')];
    if (error) return error;
    const written = { reply: reply as unknown[] };
    return lack === undefined ? written : { ...written, undurable: undurable(lack) };
  });
}

function undurable(why: string): LedgerUnavailableError {
  return new LedgerUnavailableError(
    `The record is written, but not as durable as "durability" asks: ${why}. ${remedyFor(why)} Nothing ` +
      'was sent; it is safe to repeat.',
  );
}

/** What to do about a wait that failed, by what the server said. */
export function remedyFor(why: string): string {
  if (/waitaof/i.test(why)) {
    return (
      'durability.fsync needs WAITAOF (Redis 7.2 or Valkey), the right to run it, and appendonly yes. ' +
      'Or leave fsync out, and set appendfsync always.'
    );
  }
  return 'Look at the replicas (INFO replication) and the connection, or ask for less.';
}

function toCount(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) || 0 : 0;
}

function checkDurability(durability: unknown): Required<Durability> {
  if (typeof durability !== 'object' || durability === null || Array.isArray(durability)) {
    throw wrong('durability', 'an object such as { replicas: 1 }', durability);
  }
  const names = ['replicas', 'fsync', 'timeoutMs'];
  const unknown = Object.keys(durability).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new OptionError(
      'durability',
      `Expected "durability" to have replicas, fsync and timeoutMs only, got "${unknown}".`,
    );
  }
  const { replicas = 0, fsync = false } = durability as Durability;
  const { timeoutMs = fsync ? 3_000 : 1_000 } = durability as Durability;
  if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > 100) {
    throw wrong('durability.replicas', 'a whole number from 1 to 100', replicas);
  }
  if (typeof fsync !== 'boolean') throw wrong('durability.fsync', 'true or false', fsync);
  // 0 would wait for ever.
  checkDuration('durability.timeoutMs', timeoutMs);
  if (replicas === 0 && !fsync) {
    throw new OptionError(
      'durability',
      'Expected "durability" to ask for something: replicas from 1, or fsync: true. Leave it out to wait for nothing.',
    );
  }
  return { replicas, fsync, timeoutMs };
}

function wrong(option: string, expected: string, value: unknown): OptionError {
  return new OptionError(option, `Expected "${option}" to be ${expected}, got ${describe(value)}.`);
}
