import { redisUrl } from '@sendonce/testkit/vitest';
import { deleteNamespace, namespace } from '@sendonce/testkit';
import { Redis } from 'ioredis';

interface ConnectOptions {
  keyPrefix?: string;
  protocol?: 2;
  reconnectOnError?: (error: Error) => false | 2;
}

/** A namespace on the Redis of this test run, and the clients opened in it. */
export function openNamespace(name: string, url: string = redisUrl()) {
  const prefix = namespace(name);
  const clients: Redis[] = [];
  return {
    prefix,
    url,
    connect(options: ConnectOptions = {}, at: string = url): Redis {
      const client: Redis = new Redis(at, { maxRetriesPerRequest: null, ...options });
      // A connection that is cut on purpose is not worth a line in the output.
      client.on('error', () => {});
      clients.push(client);
      return client;
    },
    async keys(): Promise<string[]> {
      return clients[0] ? clients[0].keys(`${prefix}*`) : [];
    },
    async close(): Promise<void> {
      await Promise.all(clients.map((client) => client.quit().catch(() => client.disconnect())));
      await deleteNamespace(url, prefix);
    },
  };
}
