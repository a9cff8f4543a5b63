import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type SeenCommand, startRedis, watchCommands } from '../src/index.ts';

async function startClient(): Promise<Redis> {
  const server = await startRedis();
  const client = new Redis(server.url);
  onTestFinished(async () => {
    client.disconnect();
    await server.stop();
  });
  return client;
}

test('tells each command with its words and who sent it, and scripts as "lua"', async () => {
  const client = await startClient();
  const seen: SeenCommand[] = [];
  const watch = await watchCommands(client, (one) => seen.push(one));
  await client.set('a "quoted" key', 'back\\slash');
  await client.eval('return redis.call("get", KEYS[1])', 1, 'k');
  await client.echo('end');
  await watch.caughtUp();
  watch.stop();
  const address = seen.at(-1)!.source;
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(seen).toEqual([
    { source: address, command: ['set', 'a "quoted" key', 'back\\slash'] },
    { source: address, command: ['eval', 'return redis.call("get", KEYS[1])', '1', 'k'] },
    { source: 'lua', command: ['get', 'k'] },
    { source: address, command: ['echo', 'end'] },
  ]);
});

test('begins while others send commands without a pause', async () => {
  const client = await startClient();
  const enough = new AbortController();
  const flood = async () => {
    while (!enough.signal.aborted)
      await Promise.all(Array.from({ length: 20 }, () => client.ping()));
  };
  const flooding = flood();
  for (let i = 0; i < 100; i++) {
    const watch = await watchCommands(client, () => {});
    watch.stop();
  }
  enough.abort();
  await flooding;
});
