import {
  deleteNamespace,
  dropSchema,
  findPostgres,
  findRedis,
  namespace,
  startPostgres,
  startRedis,
} from '@sendonce/testkit';
import { Redis } from 'ioredis';

/** A server, and how it is described. */
export interface Server {
  readonly url: string;
  readonly how: string;
}

/** The servers of one part, and what ends with it. */
export interface Stage {
  /** The queue's own server, which every system uses that needs one Redis. */
  readonly redis: Server;
  /** What all keys of this part begin with, and the name of its schema. */
  readonly prefix: string;
  /** A connection as BullMQ asks for it. */
  readonly connect: (url?: string) => Redis;
  /** Three separate Redis servers, which all callers share. The first call starts them. */
  readonly nodes: () => Promise<readonly Server[]>;
  /** Started, or found, by the first that asks. */
  readonly postgres: () => Promise<Server>;
  /** Runs at the end, last registered first. */
  readonly onEnd: (step: () => unknown) => void;
}

/**
 * Runs something with servers, and leaves nothing behind.
 * @param servers `found`: where REDIS_URL and DATABASE_URL point, if they are set. `own`: never
 *   those, because commands of other programs would be counted.
 */
export async function onStage<R>(
  servers: 'found' | 'own',
  run: (stage: Stage) => Promise<R>,
): Promise<R> {
  const steps: (() => unknown)[] = [];
  const onEnd = (step: () => unknown) => void steps.push(step);
  const prefix = namespace('bench');
  const start = async <S extends Server & { stop: () => Promise<void> }>(starting: Promise<S>) => {
    const server = await starting;
    onEnd(server.stop);
    return server;
  };
  try {
    const redis = await start(servers === 'own' ? startRedis() : findRedis());
    onEnd(() => deleteNamespace(redis.url, prefix));
    let nodes: Promise<Server[]> | undefined;
    let postgres: Promise<Server> | undefined;
    const openPostgres = async () => {
      const server = await start(servers === 'own' ? startPostgres() : findPostgres());
      onEnd(() => dropSchema(server.url, prefix));
      return server;
    };
    return await run({
      redis,
      prefix,
      onEnd,
      connect(url = redis.url) {
        const client = new Redis(url, { maxRetriesPerRequest: null });
        // It reconnects, and a failed job fails the run.
        client.on('error', () => {});
        onEnd(() => client.disconnect());
        return client;
      },
      nodes: () => (nodes ??= Promise.all(Array.from({ length: 3 }, () => start(startRedis())))),
      postgres: () => (postgres ??= openPostgres()),
    });
  } finally {
    for (const step of steps.toReversed()) await step();
  }
}
