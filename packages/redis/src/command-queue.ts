import type { RedisClient } from './client.ts';
import type { Deadlines, Pending } from './deadlines.ts';
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
import * as lua from './generated/scripts.ts';
import { groupByTag } from './group-by-tag.ts';
import type { Places } from './places.ts';

export type Verb =
  | 'cancel'
  | 'claim'
  | 'dispatch'
  | 'heartbeat'
  | 'read'
  | 'release'
  | 'resolve'
  | 'settle';

export interface QueueOptions {
  readonly client: RedisClient;
  readonly places: Places;
  /** How long the server may take, the wait included. */
  readonly deadlines: Deadlines;
  /** Answers when the writes are as durable as this asks. @default does not wait for that */
  readonly wait?: Wait | undefined;
}

/** One verb for one email. */
interface Command extends Pending {
  readonly verb: Verb;
  readonly key: string;
  readonly args: readonly (string | number)[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** Called once: when it is written to the connection, or its deadline is over before that. */
  readonly onWritten: (() => void) | undefined;
  isWritten: boolean;
  isOver: boolean;
}

/** The commands that go out together: all of them, on a Cluster those of one shard or node. */
interface Lane {
  readonly heartbeats: Command[];
  readonly others: Command[];
  /** The commands of the call that the next one waits for. */
  call: readonly Command[] | undefined;
  /** Ends that wait. */
  patience: NodeJS.Timeout | undefined;
  /** A call goes out at the end of this turn of the event loop. */
  isScheduled: boolean;
}

/**
 * How long a command waits for the call before it, in ms: longer than a server nearby takes, and
 * little beside what a server far away takes.
 */
const PATIENCE_MS = 5;

/** So many commands share a call, which holds up Redis for as long as it runs. */
const MAX_COMMANDS = 64;

/**
 * Runs the verbs of a ledger on one connection. What is asked while a call is on its way shares the
 * next one, because what an email costs is the number of calls. The next one leaves when the answer
 * comes, or after a few ms: the server may be far away, and the answer may never come.
 *
 * On a Cluster there is one call for each shard, because a call has one slot. If the writes are
 * waited for, there is one for each node: a wait holds up its whole connection, and if each shard
 * waited alone, heartbeats would queue behind twenty waits for a replica that is gone. Such a wait
 * is left only when it is over, because the next one would queue behind it.
 */
export class CommandQueue {
  private readonly client: RedisClient;
  private readonly places: Places;
  private readonly wait: Wait | undefined;
  private readonly deadlines: Deadlines;
  private readonly script: CallScript;
  private readonly patienceMs: number;
  private readonly lanes = new Map<string | undefined, Lane>();

  constructor({ client, places, wait, deadlines }: QueueOptions) {
    this.client = client;
    this.places = places;
    this.wait = wait;
    this.deadlines = deadlines;
    this.patienceMs = wait ? deadlines.answerWithinMs : PATIENCE_MS;
    this.script = wait ? defineDurableScript(lua.ledger, wait) : definePlainScript(lua.ledger);
  }

  /** Runs a verb for one email; `decode` makes its answer of the reply, or throws. */
  run<T>(
    { verb, key, args }: Pick<Command, 'verb' | 'key' | 'args'>,
    decode: (reply: Reply) => T,
    onWritten?: () => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const lane = this.laneOf(key);
      const command: Command = {
        verb,
        key,
        args,
        resolve: (reply) => resolve(decode(reply)),
        reject,
        onWritten,
        isWritten: false,
        isOver: false,
        untilMs: this.deadlines.untilMs(),
        expire(error) {
          command.isOver = true;
          reject(error);
          if (!command.isWritten) onWritten?.();
        },
      };
      this.deadlines.add(command);
      // A lease must not end behind a long list of other commands.
      (verb === 'heartbeat' ? lane.heartbeats : lane.others).push(command);
      this.schedule(lane);
    });
  }

  private laneOf(key: string): Lane {
    const shard = this.client.isCluster ? key[0] : undefined;
    const name = (this.wait && shard && findShardNodes(this.client, shard)) ?? shard;
    let lane = this.lanes.get(name);
    if (!lane) {
      const [call, patience] = [undefined, undefined];
      lane = { heartbeats: [], others: [], call, patience, isScheduled: false };
      this.lanes.set(name, lane);
    }
    return lane;
  }

  /** Timers and replies that come together have a tick each: all of their turn share a call. */
  private schedule(lane: Lane): void {
    if (lane.isScheduled) return;
    const { call } = lane;
    if (call) {
      lane.patience ??= setTimeout(() => this.leave(lane, call), this.patienceMs).unref();
      return;
    }
    lane.isScheduled = true;
    setImmediate(() => {
      lane.isScheduled = false;
      const commands = takeNext(lane);
      if (commands.length > 0) void this.send(commands, lane);
      else this.scheduleRest(lane);
    });
  }

  private async send(commands: readonly Command[], lane: Lane): Promise<void> {
    lane.call = commands;
    const groups = groupByTag(this.client, commands, ({ key }) => key[0]);
    const calls = groups.map((group) => this.callOf(group));
    const answer = this.script(this.client, calls);
    for (const command of commands) {
      command.isWritten = true;
      command.onWritten?.();
    }
    this.scheduleRest(lane);
    const results = await answer;
    for (const [index, group] of groups.entries()) this.answerAll(group, results[index]!);
    this.leave(lane, commands);
  }

  /** Lets the next call go, whether this one was answered or not. */
  private leave(lane: Lane, call: readonly Command[]): void {
    if (lane.call !== call) return;
    lane.call = undefined;
    clearTimeout(lane.patience);
    lane.patience = undefined;
    this.scheduleRest(lane);
  }

  private scheduleRest(lane: Lane): void {
    if (lane.heartbeats.length + lane.others.length > 0) this.schedule(lane);
  }

  private callOf(commands: readonly Command[]): ScriptCall {
    const keys: string[] = [];
    const flatArgs: (string | number)[] = [];
    for (const { verb, key, args } of commands) {
      keys.push(this.places.record(key), this.places.index(key));
      flatArgs.push(verb, ...args);
    }
    return { keys, args: flatArgs };
  }

  private answerAll(commands: readonly Command[], result: CallResult | Error): void {
    const { places } = this;
    for (const [position, command] of commands.entries()) {
      this.deadlines.delete(command);
      try {
        command.resolve(decodeReply({ key: command.key, places }, result, position));
      } catch (error) {
        command.reject(error);
      }
    }
  }
}

/**
 * The commands of the next call. Those that Redis refuses while its memory is full come first: in a
 * script that has written before, it does not refuse them, and the memory would grow on.
 */
function takeNext({ heartbeats, others }: Lane): readonly Command[] {
  const next = heartbeats.splice(0, MAX_COMMANDS);
  next.push(...others.splice(0, MAX_COMMANDS - next.length));
  const asked = next.filter(({ isOver }) => !isOver);
  const mayGrow = asked.filter(({ verb }) => GROWING.has(verb));
  if (mayGrow.length === 0 || mayGrow.length === asked.length) return asked;
  return [...mayGrow, ...asked.filter(({ verb }) => !GROWING.has(verb))];
}

const GROWING: ReadonlySet<Verb> = new Set(['cancel', 'claim', 'dispatch']);
