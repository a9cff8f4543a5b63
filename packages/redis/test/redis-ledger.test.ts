import {
  deriveKey,
  isSendonceError,
  type Ledger,
  NotSentError,
  type LedgerRecord,
  perform,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startRedis, watchCommands } from '@sendonce/testkit';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('redis-ledger');
const { prefix } = space;
const client = space.connect();
afterAll(() => space.close());

const attempt = (key = deriveKey(createToken())) => ({
  key,
  token: createToken(),
  leaseMs: 60_000,
  retentionMs: 600_000,
});

describe('settling on the connection of the queue', () => {
  test('where that leads to the same database of the same server', async () => {
    const ledger = redisLedger(client, { prefix });
    const settle = await ledger.settleVia?.(space.connect());
    const email = attempt();
    await ledger.claim({ ...email, dispatched: true });
    expect(await settle?.({ ...email, outcome: 'sent', result: '1' }).reply).toEqual({
      state: 'settled',
    });
    expect(await ledger.read(email.key)).toMatchObject({ state: 'sent', result: '1' });
  });

  test('and nowhere else', async () => {
    const ledger = redisLedger(client, { prefix });
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const elsewhere = space.connect({}, server.url);
    const { hostname: host, port } = new URL(space.url);
    const another = new Redis({ host, port: Number(port), db: 1, lazyConnect: true });
    onTestFinished(() => another.disconnect());
    const silent = {
      options: { db: 0 },
      evalsha() {},
      info: () => Promise.reject(new Error('NOPERM')),
    };
    for (const connection of [elsewhere, another, silent, {}, undefined]) {
      expect(await ledger.settleVia?.(connection)).toBeUndefined();
    }
  });

  test('works in a wrapper that passes it on: one that changes settle() leaves it out', async () => {
    const wrapper = { ...redisLedger(client, { prefix }) };
    expect(await wrapper.settleVia?.(space.connect())).toBeTypeOf('function');
  });
});

describe('what it costs', () => {
  test('any number of verbs of one tick go out as one command', async () => {
    const { ledger, commands } = await counted();
    const replies = await Promise.all(
      Array.from({ length: 64 }, () => ledger.claim({ ...attempt(), dispatched: true })),
    );
    expect(replies.every(({ state }) => state === 'won')).toBe(true);
    expect(await commands()).toBe(1);
  });

  test('an email costs two commands', async () => {
    const { ledger, commands } = await counted();
    await perform(async () => 'sent', { ledger, key: deriveKey(createToken()) });
    expect(await commands()).toBe(2);
  });

  test('a settled record takes less than 200 bytes', async () => {
    const key = deriveKey(createToken());
    await perform(async () => undefined, { ledger: redisLedger(client, { prefix }), key });
    const bytes = await client.call('MEMORY', 'USAGE', `${prefix}:{${key[0]}}${key.slice(1)}`);
    // The prefix of this test is longer than the default one.
    expect(Number(bytes) - prefix.length).toBeLessThan(200);
  });

  test('settled and released emails leave nothing in the index', async () => {
    const ledger = redisLedger(client, { prefix });
    const before = await indexes();
    await perform(async () => 'sent', { ledger, key: deriveKey(createToken()) });
    await perform(
      async () => {
        throw new NotSentError('before dispatch');
      },
      { ledger, key: deriveKey(createToken()), dispatch: 'at-send' },
    ).catch(() => {});
    expect(await indexes()).toEqual(before);
  });
});

describe('the client', () => {
  test('works after the server forgot its scripts', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const own = space.connect({}, server.url);
    const ledger = redisLedger(own, { prefix });
    await ledger.claim(attempt());
    await own.script('FLUSH');
    expect(await ledger.claim(attempt())).toEqual({ state: 'won' });
  });

  test('stays as it was: no commands defined on it, still open afterwards', async () => {
    const own = space.connect();
    await own.ping();
    const before = Object.getOwnPropertyNames(own);
    await redisLedger(own, { prefix }).claim(attempt());
    expect(Object.getOwnPropertyNames(own)).toEqual(before);
    expect(own.status).toBe('ready');
  });

  test('gives the same answers by RESP2', async () => {
    const ledger = redisLedger(space.connect({ protocol: 2 }), { prefix });
    const first = { ...attempt(), dispatched: true };
    await ledger.claim(first);
    await ledger.settle({ ...first, outcome: 'in-doubt', note: 'test' });
    const listed = await inDoubt(ledger);
    expect(listed.map(({ key }) => key)).toContain(first.key);
  });

  test('that is closed is an unavailable ledger, and the error shows no result of a processor', async () => {
    const closed = space.connect();
    await closed.quit();
    const ledger = redisLedger(closed, { prefix });
    const settled = ledger.settle({
      ...attempt(),
      outcome: 'sent',
      result: '"secret@example.org"',
    });
    const error: unknown = await settled.catch((thrown: unknown) => thrown);
    expect(isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')).toBe(true);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
  });

  test('whose server refuses the write shows nothing of the command either', async () => {
    const key = deriveKey(createToken());
    const ledger = redisLedger(client, { prefix });
    await client.set(`${prefix}:{${key[0]}}:open`, 'not a ZSET');
    const claimed = ledger.claim({ ...attempt(key), dispatched: true, by: 'secret@example.org' });
    const error: unknown = await claimed.catch((thrown: unknown) => thrown);
    await client.del(`${prefix}:{${key[0]}}:open`);
    const { inspect } = await import('node:util');
    expect(isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')).toBe(true);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
  });
});

describe('bad input', () => {
  test.each([undefined, null, 'redis://127.0.0.1', {}, { evalsha() {} }])(
    'an invalid client is refused: %s',
    (wrong) => {
      expect(() => redisLedger(wrong as never)).toThrow(
        /Expected "client" to be an ioredis client/,
      );
    },
  );

  test('a client with keyPrefix is refused, and the message says what to do', () => {
    const prefixed = space.connect({ keyPrefix: 'shop:' });
    expect(() => redisLedger(prefixed)).toThrow(
      /without "keyPrefix".*redisLedger\(client, \{ prefix \}\)/s,
    );
  });

  const auto = { lazyConnect: true, enableAutoPipelining: true };
  test('a Cluster of ioredis 5 with enableAutoPipelining is refused where its scripts could not run', () => {
    expect(() => redisLedger(new Cluster5([], auto))).toThrow(
      /enableAutoPipelining.*autoPipeliningIgnoredCommands: \["eval", "evalsha"\]/s,
    );
    const autoPipeliningIgnoredCommands = ['evalsha', 'eval'];
    redisLedger(new Cluster5([], { ...auto, autoPipeliningIgnoredCommands }));
    redisLedger(new Cluster([], auto));
  });

  test.each(['', 'a b', 'a{b}', 7])(
    'a prefix that would break the slots is refused: %s',
    (wrong) => {
      expect(() => redisLedger(client, { prefix: wrong as never })).toThrow(/Expected "prefix"/);
    },
  );

  test.each(['hash', 'list'])('a key of another type is an unreadable record: %s', async (type) => {
    const first = attempt();
    const place = `${prefix}:{${first.key[0]}}${first.key.slice(1)}`;
    if (type === 'hash') await client.hset(place, 'a', 'b');
    else await client.lpush(place, 'a');
    const ledger = redisLedger(client, { prefix });
    for (const verb of [
      () => ledger.claim(first),
      () => ledger.dispatch(first),
      () => ledger.settle({ ...first, outcome: 'sent' }),
      () => ledger.read(first.key),
      () => ledger.cancel(first),
      () => perform(async () => expect.unreachable(), { ledger, key: first.key }),
    ]) {
      await expect(verb()).rejects.toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD' });
    }
    expect(await client.type(place)).toBe(type);
  });
});

describe('a Redis of our own', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis({
      args: `--cluster-enabled yes --cluster-announce-ip 127.0.0.1`.split(' '),
    });
    const node = space.connect({}, server.url);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(async () =>
      expect(await node.call('CLUSTER', 'INFO')).toContain('cluster_state:ok'),
    );
  });
  afterAll(() => server.stop());

  test('in cluster mode takes all verbs: each call stays in one slot', async () => {
    const cluster = new Cluster([{ host: server.host, port: server.port }]);
    const ledger = redisLedger(cluster);
    const results = await Promise.all(
      Array.from({ length: 200 }, () =>
        perform(async () => 'sent', { ledger, key: deriveKey(createToken()) }),
      ),
    );
    expect(results.every(({ state }) => state === 'sent')).toBe(true);
    await doubt(ledger);
    expect(await inDoubt(ledger)).toHaveLength(1);
    await cluster.quit();
  });
});

async function inDoubt(ledger: Ledger): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state: 'in-doubt' })) records.push(record);
  return records;
}

async function doubt(ledger: Ledger): Promise<void> {
  await perform(
    async () => {
      throw new Error('nobody knows');
    },
    { ledger, key: deriveKey(createToken()) },
  );
}

/** A ledger on a new connection, with the number of commands that the server saw on it. */
async function counted() {
  const own = space.connect();
  const ledger = redisLedger(own, { prefix });
  // The first claim also asks for the eviction policy, and loads the scripts where they are
  // unknown.
  await perform(async () => 'warm', { ledger, key: deriveKey(createToken()) });
  const address = /addr=(\S+)/.exec(await own.client('INFO'))![1]!;
  let count = 0;
  const watch = await watchCommands(own, ({ source }) => {
    if (source === address) count += 1;
  });
  onTestFinished(watch.stop);
  return {
    ledger,
    commands: async () => {
      await watch.caughtUp();
      return count;
    },
  };
}

async function indexes(): Promise<string[]> {
  const keys = await client.keys(`${prefix}:*:open`);
  const members = await Promise.all(keys.map((key) => client.zrange(key, 0, '-1')));
  return members.flat().toSorted();
}
