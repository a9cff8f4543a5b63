import { MAX_BATCH } from '@sendonce/core/ledger';
import type { RedisClient } from './client.ts';
import type { Deadlines } from './deadlines.ts';
import { findShardNodes } from './cluster-map.ts';
import { decodeReply, type Reply } from './decode-reply.ts';
import {
  type CallResult,
  type CallScript,
  defineDurableScript,
  definePlainScript,
  type ScriptCall,
  type Wait,
} from './durability.ts';
import { groupByTag } from './group-by-tag.ts';
import type { Places } from './places.ts';
import { isAboutOneKey } from './unavailable.ts';

interface BatcherOptions {
  /** The script of the verb. */
  readonly lua: string;
  /** How long the server may take, the wait included. */
  readonly deadlines: Deadlines;
  /** Answers when the writes are as durable as this asks. @default does not wait for that */
  readonly wait?: Wait | undefined;
  /** When the commands of a tick are all there. @default after its microtasks */
  readonly afterTick?: (() => Promise<void>) | undefined;
}

interface Command {
  readonly key: string;
  readonly args: readonly (string | number)[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** The commands that go out together: all of them, on a Cluster those of one shard or node. */
interface Queue {
  readonly waiting: Command[];
  flushing: Promise<void> | undefined;
}

/**
 * Runs one verb. All its commands of one tick go out as one script call, because what a job costs
 * is the number of calls. On a Cluster they are one call per shard, because a call has one slot.
 *
 * A wait holds up its whole connection, so there is one at a time, and the commands that come
 * meanwhile share the next one. On a Cluster there is one for each node: if each shard waited
 * alone, heartbeats would queue behind twenty waits for a replica that is gone.
 */
export class CommandBatcher {
  private readonly client: RedisClient;
  private readonly places: Places;
  private readonly wait: Wait | undefined;
  private readonly deadlines: Deadlines;
  private readonly afterTick: () => Promise<void>;
  private readonly script: CallScript;
  private readonly queues = new Map<string | undefined, Queue>();

  constructor(client: RedisClient, places: Places, options: BatcherOptions) {
    const { lua, wait, deadlines, afterTick = tickEnds } = options;
    this.client = client;
    this.places = places;
    this.wait = wait;
    this.deadlines = deadlines;
    this.afterTick = afterTick;
    this.script = wait ? defineDurableScript(lua, wait) : definePlainScript(lua);
  }

  /** Runs the verb for one email; `decode` makes its answer of the reply, or throws. */
  run<T>(key: string, args: readonly (string | number)[], decode: (reply: Reply) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const queue = this.queueOf(key);
      queue.waiting.push({ key, args, reject, resolve: (reply) => resolve(decode(reply)) });
      queue.flushing ??= this.flush(queue);
    });
  }

  /**
   * Resolves when the waiting commands of this key's queue are written; undefined if there are
   * none.
   */
  flushed(key: string): Promise<void> | undefined {
    return this.queueOf(key).flushing;
  }

  private queueOf(key: string): Queue {
    const shard = this.client.isCluster ? key[0] : undefined;
    const name = (this.wait && shard && findShardNodes(this.client, shard)) ?? shard;
    let queue = this.queues.get(name);
    if (!queue) this.queues.set(name, (queue = { waiting: [], flushing: undefined }));
    return queue;
  }

  private async flush(queue: Queue): Promise<void> {
    await this.afterTick();
    while (queue.waiting.length > 0) {
      const called = this.call(queue.waiting.splice(0, MAX_BATCH));
      if (this.wait) await called;
    }
    queue.flushing = undefined;
  }

  private call(commands: readonly Command[]): Promise<void> {
    return this.callGroups(groupByTag(this.client, commands, ({ key }) => key[0]));
  }

  private async callGroups(groups: readonly (readonly Command[])[]): Promise<void> {
    const calls = groups.map((group) => this.callOf(group));
    const answer = this.script(this.client, calls);
    const results = await this.deadlines.limit(answer, (error) => calls.map(() => error));
    const refused: (readonly Command[])[] = [];
    for (const [index, group] of groups.entries()) {
      const result = results[index]!;
      const mayRepeat = group.length > 1 && result instanceof Error && isAboutOneKey(result);
      if (mayRepeat) refused.push(...group.map((command) => [command]));
      else this.answerAll(group, result);
    }
    // One key that holds something else must not fail the others: each is called alone. Every verb
    // may be repeated, and a wait is still one for all of them.
    if (refused.length > 0) await this.callGroups(refused);
  }

  private callOf(commands: readonly Command[]): ScriptCall {
    const keys: string[] = [];
    const flatArgs: (string | number)[] = [];
    for (const { key, args } of commands) {
      keys.push(this.places.record(key), this.places.index(key));
      flatArgs.push(...args);
    }
    return { keys, args: flatArgs };
  }

  private answerAll(commands: readonly Command[], result: CallResult | Error): void {
    const { places } = this;
    for (const [position, { key, resolve, reject }] of commands.entries()) {
      try {
        resolve(decodeReply({ key, places }, result, position));
      } catch (error) {
        reject(error);
      }
    }
  }
}

/** When the microtasks of this tick are done, so after all jobs that it woke. */
function tickEnds(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
