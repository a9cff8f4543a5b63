import type { RedisClient } from './client.ts';

/**
 * What is needed of a client of node-redis (the package `redis`, 5): `createClient()`, connected.
 * See {@link fromNodeRedis}.
 */
export interface NodeRedisClient {
  /** Sends one command. */
  sendCommand(command: string[]): Promise<unknown>;
  /** Sends several commands together. */
  multi(): {
    addCommand(command: string[]): unknown;
    execAsPipeline(): Promise<unknown>;
  };
}

/**
 * Lets a ledger work by a client of node-redis. Not by `createCluster()`, whose commands need their
 * key beside them.
 *
 * @example
 * const ledger = redisLedger(fromNodeRedis(await createClient({ url }).connect()));
 */
export function fromNodeRedis(client: NodeRedisClient): RedisClient {
  const send = (...command: unknown[]) => client.sendCommand(command.map(String));
  return {
    evalsha: (...args) => send('EVALSHA', ...args),
    eval: (...args) => send('EVAL', ...args),
    info: async (section) => String(await send('INFO', section)),
    pipeline(commands) {
      const pipeline = client.multi();
      const listeners = commands.map((command) => {
        const last = command.at(-1);
        const words = command.filter((word) => word !== last || typeof last !== 'function');
        // ioredis sends a command that it has no method for by "call".
        pipeline.addCommand((words[0] === 'call' ? words.slice(1) : words).map(String));
        return typeof last === 'function' ? (last as () => void) : () => {};
      });
      return {
        // No command is ever sent again, so the answers come in order; one error rejects them all.
        async exec() {
          const replies = (await pipeline.execAsPipeline()) as unknown[];
          for (const tell of listeners) tell();
          return replies.map((reply) => [null, reply]);
        },
      };
    },
  };
}
