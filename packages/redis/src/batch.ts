import { defineScript, type RedisClient } from './client.ts';
import { UnreadableRecordError } from '@sendonce/core';
import { decodeStanding, type Standing } from './record.ts';

/** The answer of a script about one record: its word, and what stands there if it shows it. */
export interface Answer {
  readonly word: string;
  readonly standing?: Standing;
}

/** One verb as a function of a key and its arguments. */
export type Verb = (key: string, ...args: (string | number)[]) => Promise<Answer>;

/** Where the record of a key lives, and the index of its shard. */
export interface Places {
  record(key: string): string;
  index(key: string): string;
}

interface Operation {
  readonly key: string;
  readonly args: readonly (string | number)[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

// Long scripts block the server for everybody: about 1 ms at this size.
const LARGEST_BATCH = 250;

/**
 * Makes a verb of a script. All its uses of one tick go out as one script call: what a job costs is
 * the number of commands. On a Cluster, one call for each shard, because a call has one slot.
 */
export function batchedVerb(client: RedisClient, places: Places, lua: string): Verb {
  const script = defineScript(lua);
  let waiting: Operation[] = [];

  function flush(): void {
    const operations = waiting;
    waiting = [];
    for (const group of client.isCluster ? byShard(operations) : [operations]) {
      for (let start = 0; start < group.length; start += LARGEST_BATCH) {
        void call(group.slice(start, start + LARGEST_BATCH));
      }
    }
  }

  async function call(operations: readonly Operation[]): Promise<void> {
    const keys = operations.flatMap(({ key }) => [places.record(key), places.index(key)]);
    const args = operations.flatMap((operation) => operation.args);
    let reply: unknown[];
    try {
      reply = (await script(client, keys, args)) as unknown[];
    } catch (error) {
      for (const { reject } of operations) reject(error);
      return;
    }
    for (const [position, operation] of operations.entries()) answer(operation, reply, position);
  }

  return (key, ...args) =>
    new Promise((resolve, reject) => {
      // nextTick runs when the microtasks of this tick are done, so after all jobs it woke.
      if (waiting.push({ key, args, resolve, reject }) === 1) process.nextTick(flush);
    });
}

function answer(operation: Operation, reply: readonly unknown[], position: number): void {
  const { key, resolve, reject } = operation;
  const word = String(reply[position * 3]);
  if (word === 'unreadable') {
    reject(new UnreadableRecordError(key, 'Redis'));
    return;
  }
  const value = reply[position * 3 + 1];
  if (typeof value !== 'string' || value === '') {
    resolve({ word });
    return;
  }
  try {
    const standing = decodeStanding(key, value, Number(reply[position * 3 + 2]));
    resolve({ word, standing });
  } catch (error) {
    reject(error);
  }
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
