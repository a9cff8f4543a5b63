import { LedgerUnavailableError } from '@sendonce/core';
import { defineScript, type RedisClient, shaOf } from './client.ts';
import { checkDurability, type Durability } from './durability-options.ts';

/** The command that waits, and how its answer is read. */
export interface Wait {
  readonly replicas: number;
  readonly fsync: boolean;
  /** How long the command may wait, in ms. */
  readonly answerWithinMs: number;
  readonly command: readonly (string | number)[];
  /** The same without waiting: whether the server knows it and this user may run it. */
  readonly probe: readonly (string | number)[];
  /** What is missing according to the answer, or undefined. */
  readonly missing: (reply: unknown) => string | undefined;
}

/** @throws {OptionError} */
export function planWait(durability: Durability): Wait {
  const { replicas, fsync, answerWithinMs } = checkDurability(durability);
  const within = `within ${answerWithinMs} ms (durability.answerWithinMs)`;
  const tooFew = (count: number) =>
    count < replicas
      ? `${count} of the ${replicas} replicas of durability.replicas had the record ${within}`
      : undefined;
  if (!fsync) {
    return {
      replicas,
      fsync,
      answerWithinMs,
      command: ['WAIT', replicas, answerWithinMs],
      probe: ['WAIT', 0, 1],
      missing: (reply) => tooFew(toCount(reply)),
    };
  }
  return {
    replicas,
    fsync,
    answerWithinMs,
    command: ['WAITAOF', 1, replicas, answerWithinMs],
    probe: ['WAITAOF', 0, 0, 1],
    missing: (reply) => {
      const [local, remote] = (Array.isArray(reply) ? reply : []) as unknown[];
      if (toCount(local) < 1) return `the server had not written the record to disk ${within}`;
      return tooFew(toCount(remote));
    },
  };
}

/** The reply of a script. `notDurable`: its writes are not as durable as was asked for. */
export interface CallResult {
  readonly reply: unknown[];
  readonly notDurable?: LedgerUnavailableError;
}

/** The keys and arguments of one script call. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Calls of one script, all on one node; answers in the same order. */
export type CallScript = (
  client: RedisClient,
  calls: readonly ScriptCall[],
) => Promise<readonly (CallResult | Error)[]>;

/** A script whose writes are not waited for. */
export function definePlainScript(lua: string): CallScript {
  const script = defineScript(lua);
  const callOnce = async (client: RedisClient, { keys, args }: ScriptCall) => {
    try {
      return { reply: (await script(client, keys, args)) as unknown[] };
    } catch (error) {
      return error as Error;
    }
  };
  return (client, calls) => Promise.all(calls.map((call) => callOnce(client, call)));
}

/**
 * A script and one wait for the writes of all its calls, as one pipeline. WAIT counts the writes of
 * the connection that asks: on a fresh one it succeeds at once and says nothing. A pipeline cannot
 * be torn apart by a reconnect (ioredis and node-redis reject the rest of one that was answered in
 * part, and repeat only a whole one), and on a Cluster it goes to one node. A Lua script cannot
 * wait.
 */
export function defineDurableScript(lua: string, wait: Wait): CallScript {
  const [script, sha] = [defineScript(lua), shaOf(lua)];
  const write = (client: RedisClient, calls: readonly ScriptCall[]) =>
    writeAndWait(
      client,
      calls.map(({ keys, args }) => ['evalsha', sha, keys.length, ...keys, ...args]),
      wait,
    );
  return async (client, calls) => {
    let results = await write(client, calls);
    for (let repeats = 0; repeats < MAX_REPEATS && results.some(isToRepeat); repeats++) {
      const again = calls.filter((_, index) => isToRepeat(results[index]!));
      // The plain way loads the script and follows the redirection. The repeat, which changes
      // nothing, writes once more on the right connection, so that the wait counts.
      await Promise.allSettled(again.map(({ keys, args }) => script(client, keys, args)));
      const repeated = await write(client, again);
      results = results.map((first) => (isToRepeat(first) ? repeated.shift()! : first));
    }
    return results;
  };
}

// While a Cluster fails over, its nodes contradict each other briefly.
const MAX_REPEATS = 5;

function isToRepeat(result: CallResult | Error): boolean {
  if (!(result instanceof Error)) return false;
  return /^(NOSCRIPT|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)/.test(result.message);
}

async function writeAndWait(
  client: RedisClient,
  writes: readonly (readonly unknown[])[],
  wait: Wait,
): Promise<(CallResult | Error)[]> {
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
    const result = { reply: reply as unknown[] };
    return lack === undefined ? result : { ...result, notDurable: notDurableError(lack) };
  });
}

function notDurableError(why: string): LedgerUnavailableError {
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
