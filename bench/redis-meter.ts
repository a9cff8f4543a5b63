import { watchCommands } from '@sendonce/testkit';
import type { Redis } from 'ioredis';

/** Bytes that the server has read and written since its start, by its own account. */
export async function redisBytes(client: Redis): Promise<number> {
  const stats = await client.info('stats');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1]);
  return field('total_net_input_bytes') + field('total_net_output_bytes');
}

/**
 * Counts the commands that clients send, until the returned function is called. By MONITOR, which
 * tells who sent each: INFO commandstats counts what scripts do inside the server as well.
 */
export async function countRedisCommands(client: Redis): Promise<() => Promise<number>> {
  let commands = 0;
  const watch = await watchCommands(client, ({ source }) => {
    if (source !== 'lua') commands++;
  });
  return async () => {
    await watch.caughtUp();
    watch.stop();
    return commands;
  };
}
