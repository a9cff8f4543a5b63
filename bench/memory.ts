import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { checkMemory, fill } from './fill.ts';
import type { Progress } from './progress.ts';
import { rounded } from './results.ts';

/** Bytes of Redis for each settled email, on a server that holds nothing else. */
export async function measureMemory({ records }: Arguments, progress: Progress): Promise<number> {
  const count = records[Math.floor((records.length - 1) / 2)]!;
  checkMemory([count]);
  progress.step(`memory: ${count} settled emails`);
  const server = await startRedis();
  const client = new Redis(server.url);
  try {
    const before = await usedMemory(client);
    await fill({ url: server.url, records: count }, progress);
    const bytes = (await usedMemory(client)) - before;
    return rounded(bytes / count, 1);
  } finally {
    client.disconnect();
    await server.stop();
  }
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
}
