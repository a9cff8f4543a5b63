import { connect } from 'node:net';
import { reasonOf } from './redis-binary.ts';

export interface RedisContainer {
  host: string;
  port: number;
  how: string;
  stop: () => Promise<void>;
}

const images = ['valkey/valkey:8', 'redis:7'];

/**
 * Starts Redis in Docker through testcontainers, whose helper container removes it when we die.
 * Rejects with the reason, after 2 s at most when no Docker engine answers.
 */
export async function startRedisContainer(): Promise<RedisContainer> {
  await pingDocker();
  // Loaded only here: it costs half a second.
  const { GenericContainer, Wait } = await import('testcontainers');
  const reasons: string[] = [];
  for (const image of images) {
    try {
      const container = await new GenericContainer(image)
        .withCommand(['--save', '', '--maxmemory-policy', 'noeviction'])
        .withExposedPorts(6379)
        // Its log, and not its port: looking at the port from inside needs a shell in the image.
        .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
        .withStartupTimeout(60_000)
        .start();
      return {
        host: container.getHost(),
        port: container.getMappedPort(6379),
        how: `Docker image ${image}`,
        stop: async () => void (await container.stop()),
      };
    } catch (error) {
      reasons.push(`${image}: ${reasonOf(error)}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** Resolves when the engine answers a ping within 2 s. */
async function pingDocker(): Promise<void> {
  const address = new URL(process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  const target =
    address.protocol === 'unix:'
      ? { path: address.pathname }
      : { host: address.hostname, port: Number(address.port || 2375) };
  await new Promise<void>((resolve, reject) => {
    const socket = connect(target, () => socket.write('GET /_ping HTTP/1.0\r\n\r\n'));
    socket.setTimeout(2000, () =>
      socket.destroy(new Error(`no answer from ${address.href} within 2 s`)),
    );
    socket.once('data', () => {
      resolve();
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${address.href} closed the connection`)));
  });
}
