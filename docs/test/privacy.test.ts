import { mkdirSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from '@sendonce/bullmq';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { blocksOf, root } from './page.ts';

type ForgetEmail = (client: Redis, parts: unknown) => Promise<number>;

test('the code of the page erases all that an email left in Redis', async () => {
  const server = await startRedis();
  const client = new Redis(server.url);
  onTestFinished(async () => {
    client.disconnect();
    await server.stop();
  });
  const journal = redisJournal(client);
  const parts = ['delivery-notice', 4711, 'ada@example.org'];
  const send = once(async () => ({ to: 'result of ada@example.org' }), {
    ledger: redisLedger(client),
    journal,
    key: () => parts,
    label: () => 'label of ada@example.org',
  });
  await send({ id: '17', queueName: 'notices', data: { to: 'ada@example.org' } });
  await journal.flush();

  // What the page says is stored as it is, and nothing else of the data.
  const stored = await everythingIn(client);
  expect(stored).toContain('result of ada@example.org');
  expect(stored).toContain('label of ada@example.org');
  expect(stored.match(/ada@example\.org/g)).toHaveLength(2);

  const forgetEmail = await loadFromPage();
  expect(await forgetEmail(client, parts)).toBe(2);
  expect(await everythingIn(client)).not.toContain('ada@example.org');
});

async function loadFromPage(): Promise<ForgetEmail> {
  const page = blocksOf('docs/privacy.md', readFileSync(join(root, 'docs/privacy.md'), 'utf8'));
  const block = page.find(({ code }) => code.includes('forgetEmail'))!;
  const blocks = join(root, 'docs/.blocks');
  mkdirSync(blocks, { recursive: true });
  const folder = mkdtempSync(join(blocks, 'privacy-'));
  try {
    const file = join(folder, 'forget-email.ts');
    writeFileSync(file, block.code);
    return ((await import(file)) as { forgetEmail: ForgetEmail }).forgetEmail;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All keys and values, as text. */
async function everythingIn(client: Redis): Promise<string> {
  const texts: string[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    const read = {
      string: () => client.get(key),
      list: () => client.lrange(key, 0, -1),
      hash: () => client.hgetall(key),
      zset: () => client.zrange(key, '0', '-1'),
    }[type];
    if (!read) throw new Error(`No reader for a ${type}.`);
    texts.push(key, JSON.stringify(await read()));
  }
  return texts.join('\n');
}
