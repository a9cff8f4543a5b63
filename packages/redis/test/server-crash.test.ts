import { deriveKey, type Ledger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startRedis, startTcpProxy } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

async function sendTwice(ledger: Ledger, between: () => Promise<void>): Promise<number> {
  const key = deriveKey(createToken());
  let arrived = 0;
  const effect = () => void (arrived += 1);
  await perform(effect, { ledger, key });
  await between();
  await perform(effect, { ledger, key });
  return arrived;
}

test.each([
  ['with appendfsync always: the email is remembered', true, 1],
  ['without an append-only file: the email is forgotten, and sent again', false, 2],
])('a server that is killed, %s', async (_name, appendOnly, emails) => {
  const server = await startRedis({ appendOnly, args: ['--appendfsync', 'always'] });
  const space = openNamespace('crash', server.url);
  try {
    const ledger = redisLedger(space.connect(), { prefix: space.prefix });
    const arrived = await sendTwice(ledger, async () => {
      await server.kill();
      await server.restart();
    });
    expect(arrived).toBe(emails);
  } finally {
    await space.close();
    await server.stop();
  }
});

test('a network that hangs: nothing is sent before the ledger has answered, and then once', async () => {
  const space = openNamespace('partition');
  const proxy = await startTcpProxy({ url: space.url });
  const client = space.connect({}, proxy.url);
  space.connect();
  try {
    await client.ping();
    proxy.pause();
    let arrived = 0;
    const ledger = redisLedger(client, { prefix: space.prefix });
    const sending = perform(() => void (arrived += 1), { ledger, key: deriveKey(createToken()) });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(arrived).toBe(0);
    proxy.resume();
    expect(await sending).toMatchObject({ state: 'sent' });
    await eventually(() => expect(arrived).toBe(1));
  } finally {
    await space.close();
    await proxy.close();
  }
});
