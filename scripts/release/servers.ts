import {
  findPostgres,
  findRedis,
  type RedisProcess,
  startRedis,
  startSmtpServer,
} from '@sendonce/testkit';
import type { ReleaseServers } from './project.ts';

/** Three independent Redis servers, started at the first question for their addresses. */
export function startRedlockServers(start: () => Promise<RedisProcess>): {
  urls: () => Promise<string[]>;
  stop: () => Promise<void>;
} {
  let nodes: Promise<RedisProcess[]> | undefined;
  return {
    async urls() {
      nodes ??= Promise.all([start(), start(), start()]);
      return (await nodes).map(({ url }) => url);
    },
    async stop() {
      await Promise.all(((await nodes) ?? []).map(async ({ stop }) => stop()));
    },
  };
}

/** Real servers for the dry run. `stop` leaves nothing behind. */
export async function startServers(): Promise<ReleaseServers & { stop: () => Promise<void> }> {
  const [redis, postgres] = await Promise.all([findRedis(), findPostgres()]);
  const smtp = await startSmtpServer();
  const redlock = startRedlockServers(startRedis);
  console.log(`${redis.how}; ${postgres.how}`);
  return {
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    redlockUrls: redlock.urls,
    smtp,
    async stop() {
      await Promise.all([redis.stop(), postgres.stop(), redlock.stop(), smtp.close()]);
    },
  };
}
