import { isSendonceError, UnreadableRecordError } from '@sendonce/core';
import { defineScript, type RedisClient, unavailable } from './client.ts';
import { nodesOf } from './cluster-map.ts';
import { type CallScript, defineDurableScript, type Wait, type Written } from './durability.ts';
import type { Places } from './places.ts';
import { decodeStanding, type Standing } from './record.ts';

/** The answer of a script about one record: its word, and what stands there if it shows it. */
export interface Answer {
  readonly word: string;
  readonly standing?: Standing;
}

/** One verb as a function of a key and its arguments; what its answer means is told with each use. */
export type Verb = Ask & {
  /** Until what was asked about this key has been written to the connection. */
  left(key: string): Promise<void> | undefined;
};

type Ask = <T>(
  key: string,
  args: readonly (string | number)[],
  meaning: (answer: Answer) => T,
) => Promise<T>;

interface Operation {
  readonly key: string;
  readonly args: readonly (string | number)[];
  readonly answered: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

// Long scripts block the server for everybody: about 1 ms at this size.
const LARGEST_BATCH = 250;

/** The operations of one verb that go out together: all of them, on a Cluster those of one shard or node. */
interface Queue {
  readonly waiting: Operation[];
  leaving: Promise<void> | undefined;
}

/**
 * Makes a verb of a script. All its uses of one tick go out as one script call: what a job costs is the
 * number of commands. On a Cluster, one call for each shard, because a call has one slot.
 *
 * With `wait` the answer is given when the writes are durable. A wait holds up its whole connection, so
 * there is one at a time (on a Cluster one for each node: if each shard waited for itself, heartbeats
 * would stand behind twenty waits for a replica that is gone), and what comes meanwhile shares the next.
 */
export function batchedVerb(
  client: RedisClient,
  places: Places,
  lua: string,
  {
    wait,
    gathered = tickEnds,
  }: { readonly wait?: Wait | undefined; readonly gathered?: () => Promise<void> } = {},
): Verb {
  const script = wait ? defineDurableScript(lua, wait) : definePlainScript(lua);
  const queues = new Map<string | undefined, Queue>();

  async function leave(queue: Queue): Promise<void> {
    await gathered();
    while (queue.waiting.length > 0) {
      const called = call(queue.waiting.splice(0, LARGEST_BATCH));
      if (wait) await called;
    }
    queue.leaving = undefined;
  }

  async function call(operations: readonly Operation[]): Promise<void> {
    const groups = client.isCluster ? byShard(operations) : [operations];
    const calls = groups.map((group) => {
      const keys: string[] = [];
      const flat: (string | number)[] = [];
      for (const { key, args } of group) {
        keys.push(places.record(key), places.index(key), places.buckets(key));
        flat.push(...args);
      }
      return { keys, args: flat };
    });
    const written = await script(client, calls);
    for (const [index, group] of groups.entries()) {
      for (const [position, operation] of group.entries()) {
        answer(operation, written[index]!, position);
      }
    }
  }

  function queueOf(key: string): Queue {
    const shard = client.isCluster ? key[0] : undefined;
    const name = (wait && shard && nodesOf(client, shard)) ?? shard;
    let queue = queues.get(name);
    if (!queue) queues.set(name, (queue = { waiting: [], leaving: undefined }));
    return queue;
  }

  const ask: Ask = (key, args, meaning) =>
    new Promise((resolve, reject) => {
      const queue = queueOf(key);
      queue.waiting.push({ key, args, reject, answered: (answer) => resolve(meaning(answer)) });
      queue.leaving ??= leave(queue);
    });
  return Object.assign(ask, { left: (key: string) => queueOf(key).leaving });
}

/** When the microtasks of this tick are done, so after all jobs that it woke. */
function tickEnds(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function definePlainScript(lua: string): CallScript {
  const script = defineScript(lua);
  const one = async (client: RedisClient, { keys, args }: Parameters<CallScript>[1][number]) => {
    try {
      return { reply: (await script(client, keys, args)) as unknown[] };
    } catch (error) {
      return error as Error;
    }
  };
  return (client, calls) => Promise.all(calls.map((call) => one(client, call)));
}

function byShard(operations: readonly Operation[]): Operation[][] {
  const groups = new Map<string | undefined, Operation[]>();
  for (const operation of operations) {
    const group = groups.get(operation.key[0]);
    if (group) group.push(operation);
    else groups.set(operation.key[0], [operation]);
  }
  return [...groups.values()];
}

// What stands there, and that nothing does, was not written by this call.
const unwritten = new Set(['stands', 'expired']);

function answer(operation: Operation, written: Written | Error, position: number): void {
  const { key, answered, reject } = operation;
  if (written instanceof Error) {
    reject(isSendonceError(written) ? written : unavailable(written));
    return;
  }
  const { reply, undurable } = written;
  const said = reply[position];
  const [word, value, remainingMs] = Array.isArray(said) ? (said as unknown[]) : [said];
  if (undurable && word !== 'unreadable' && !unwritten.has(String(word))) {
    reject(undurable);
    return;
  }
  try {
    if (word === 'unreadable') throw new UnreadableRecordError(key, 'Redis');
    if (typeof value !== 'string') answered({ word: String(word) });
    else
      answered({ word: String(word), standing: decodeStanding(key, value, Number(remainingMs)) });
  } catch (error) {
    reject(error);
  }
}
