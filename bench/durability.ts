/**
 * Measures what `durability: { replicas: 1 }` costs, as a ratio. Master and replica run on this
 * machine, so the network between them costs next to nothing.
 *
 *     npx tsx bench/durability.ts
 */
import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger, type RedisLedgerOptions } from '@sendonce/redis';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';

await main();

async function main(): Promise<void> {
  const args = ['--repl-diskless-sync-delay', '0'];
  const master = await startRedis({ args });
  const upstream = ['--replicaof', master.host, String(master.port)];
  const replica = await startRedis({ args: [...args, ...upstream] });
  const client = new Redis(master.url);
  while ((await client.wait(1, 100)) < 1);
  try {
    for (const concurrency of [1, 50]) {
      const ratios: number[] = [];
      for (let round = 0; round < 9; round++) {
        const without = await emailsPerSecond(client, concurrency, {});
        const waiting = await emailsPerSecond(client, concurrency, { durability: { replicas: 1 } });
        ratios.push(waiting / without);
      }
      const ranked = ratios.toSorted((one, other) => one - other);
      const [least, median, most] = [0, 4, 8].map((rank) => ranked[rank]!.toFixed(2));
      console.log(
        `${concurrency} at a time: ${median} of the emails per second (${least} to ${most})`,
      );
    }
  } finally {
    client.disconnect();
    await Promise.all([master.stop(), replica.stop()]);
  }
}

async function emailsPerSecond(
  client: Redis,
  concurrency: number,
  options: RedisLedgerOptions,
): Promise<number> {
  const ledger = redisLedger(client, options);
  const startMs = performance.now();
  let sent = 0;
  const lane = async () => {
    while (performance.now() - startMs < 500) {
      await perform(async () => sent++, { ledger, key: deriveKey(createToken()) });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (sent * 1000) / (performance.now() - startMs);
}
