import { deriveKey, isSendonceError, type Ledger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { startRedis } from '@sendonce/testkit';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Durability, fromNodeRedis, redisLedger } from '../src/index.ts';
import * as lua from '../src/generated/scripts.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('durability');
let master: Awaited<ReturnType<typeof startRedis>>;
let replica: Awaited<ReturnType<typeof startRedis>>;
let admin: ReturnType<typeof space.connect>;

beforeAll(async () => {
  const args = ['--repl-diskless-sync-delay', '0'];
  master = await startRedis({ args });
  replica = await startRedis({ args: [...args, '--replicaof', master.host, String(master.port)] });
  admin = space.connect({}, master.url);
});
beforeEach(inStep);
afterEach(() => replica.resume());
afterAll(async () => {
  await space.close();
  await Promise.all([master.stop(), replica.stop()]);
});

describe('with durability: { replicas: 1 }', () => {
  test('an email leaves only when the replica has its dispatch', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 5_000 });
    // Another one first: a script that is not loaded yet is sent twice, each time with its wait.
    await ledger.dispatch(attempt());
    const first = attempt();
    await ledger.claim(first);
    replica.pause();
    let answered = false;
    const dispatched = ledger.dispatch(first).finally(() => (answered = true));
    await expect.poll(() => stateOnMaster(first.key)).toBe('dispatched');
    expect(answered).toBe(false);
    replica.resume();
    expect(await dispatched).toEqual({ state: 'dispatched' });
    const copy = space.connect({}, replica.url);
    expect(await copy.get(place(first.key))).toMatch(/^1D/);
  });

  test.each(['before-processor', 'at-send'] as const)(
    'a wait that fails sends nothing, says why, leaves nothing, and the retry sends: %s',
    async (dispatch) => {
      const ledger = durable({ replicas: 1, answerWithinMs: 200 });
      const key = deriveKey(createToken());
      const emails: string[] = [];
      const job = () =>
        perform(
          async (claim) => {
            if (dispatch === 'at-send') await claim.dispatch();
            emails.push(key);
          },
          { ledger, key, dispatch, leaseMs: 1_000 },
        );
      replica.pause();
      await expect(job()).rejects.toMatchObject({
        code: 'SENDONCE_LEDGER_UNAVAILABLE',
        mayHaveLeft: 'no',
        message: expect.stringMatching(/0 of the 1 replicas .* within 200 ms.*Nothing was sent/s),
      });
      expect(emails).toEqual([]);
      expect(await admin.get(place(key))).toBeNull();
      expect(await admin.zscore(`sendonce:{${key[0]}}:open`, key.slice(1))).toBeNull();
      replica.resume();
      expect(await job()).toMatchObject({ state: 'sent' });
      expect(emails).toEqual([key]);
    },
  );

  test('claims beside a damaged index are repeated with one wait for all of them', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 5_000 });
    await ledger.claim({ ...attempt(), dispatched: true });
    const damaged = attempt();
    const index = `sendonce:{${damaged.key[0]}}:open`;
    await admin.del(index);
    await admin.set(index, 'x');
    await admin.config('RESETSTAT');
    const all = [damaged, ...Array.from({ length: 20 }, () => attempt())];
    const claims = all.map((email) => ledger.claim({ ...email, dispatched: true }));
    const replies = await Promise.allSettled(claims);
    const [, waits = '0'] = /cmdstat_wait:calls=(\d+)/.exec(await admin.info('commandstats')) ?? [];
    await admin.del(index);
    for (const [position, { key }] of all.entries()) {
      const isDamaged = key[0] === damaged.key[0];
      expect(replies[position]!.status).toBe(isDamaged ? 'rejected' : 'fulfilled');
    }
    expect(Number(waits)).toBeLessThanOrEqual(3);
  });

  test('a cancellation waits too, and an outcome does not', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 100 });
    const first = attempt();
    await ledger.claim({ ...first, dispatched: true });
    replica.pause();
    await expect(ledger.cancel(attempt())).rejects.toThrow(/0 of the 1 replicas/);
    expect(await ledger.settle({ ...first, outcome: 'sent' })).toEqual({ state: 'settled' });
  });

  test('those who lose learn why, also while the replica is away', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 100 });
    const key = deriveKey(createToken());
    await perform(async () => 'first', { ledger, key });
    replica.pause();
    const copy = await perform(async () => expect.unreachable(), { ledger, key });
    expect(copy).toMatchObject({ state: 'duplicate', value: 'first' });
    expect(await ledger.dispatch(attempt())).toEqual({ state: 'expired' });
  });

  test('more replicas than there are is a failed wait', async () => {
    const ledger = durable({ replicas: 2, answerWithinMs: 50 });
    const claimed = ledger.claim({ ...attempt(), dispatched: true });
    await expect(claimed).rejects.toThrow(/1 of the 2 replicas/);
  });

  test('costs one command more for each batch of any size', async () => {
    const ledger = durable({ replicas: 1 });
    await perform(async () => 'warm', { ledger, key: deriveKey(createToken()) });
    // The first email also lets the doctor look; this one comes after it.
    await ledger.doctor!();
    await admin.config('RESETSTAT');
    const claims = Array.from({ length: 64 }, () => ({ ...attempt(), dispatched: true }));
    await Promise.all(claims.map((claim) => ledger.claim(claim)));
    expect(await commands()).toEqual({ evalsha: 1, wait: 1 });
    await perform(async () => 'sent', { ledger, key: deriveKey(createToken()) });
    expect(await commands()).toEqual({ evalsha: 3, wait: 2 });
  });

  test('what comes during a wait shares the next one', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 5_000 });
    await ledger.claim({ ...attempt(), dispatched: true });
    await admin.config('RESETSTAT');
    replica.pause();
    const claims: Promise<unknown>[] = [];
    for (let index = 0; index < 10; index++) {
      claims.push(ledger.claim({ ...attempt(), dispatched: true }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    replica.resume();
    await Promise.all(claims);
    expect(await commands()).toEqual({ evalsha: 2, wait: 2 });
  });

  test('works when the server has forgotten its scripts', async () => {
    await admin.script('FLUSH');
    const ledger = durable({ replicas: 1 });
    expect(await ledger.claim({ ...attempt(), dispatched: true })).toEqual({ state: 'won' });
  });

  test('works by node-redis', async () => {
    const client = createClient({ url: master.url });
    await client.connect();
    const ledger = redisLedger(fromNodeRedis(client), {
      durability: { replicas: 1, answerWithinMs: 100 },
    });
    const first = attempt();
    await ledger.claim(first);
    expect(await ledger.dispatch(first)).toEqual({ state: 'dispatched' });
    replica.pause();
    const second = ledger.claim({ ...attempt(), dispatched: true });
    await expect(second).rejects.toThrow(/0 of the 1 replicas/);
    await client.close();
  });
});

describe('a connection that breaks between the write and the wait', () => {
  // The wait of another connection counts none of the writes of this one: a client that simply
  // sends it again would get "one replica" from a server that has lost the record.
  test('is never durable, though the new connection has a replica and nothing to wait for', async () => {
    const ledger = durable({ replicas: 1, answerWithinMs: 5_000 });
    await ledger.claim({ ...attempt(), dispatched: true });
    const first = attempt();
    replica.pause();
    const claimed = ledger.claim({ ...first, dispatched: true });
    const failure = expect(claimed).rejects.toMatchObject({
      code: 'SENDONCE_LEDGER_UNAVAILABLE',
      message: expect.stringMatching(/aborted due to connection close/),
    });
    await expect.poll(() => stateOnMaster(first.key)).toBe('dispatched');
    await master.kill();
    await master.restart();
    replica.resume();
    await failure;
    expect(await stateOnMaster(first.key)).toBe('absent');
  });

  test('nor is a script that ioredis sends again alone, by reconnectOnError', async () => {
    let resent = 0;
    const client = space.connect(
      {
        reconnectOnError(error) {
          if (!error.message.startsWith('NOSCRIPT') || resent++ > 0) return false;
          return 2;
        },
      },
      master.url,
    );
    await client.ping();
    await admin.script('FLUSH');
    // The script is there again before the connection is.
    client.once('close', () => void admin.script('LOAD', lua.ledger));
    const ledger = redisLedger(client, { durability: { replicas: 1, answerWithinMs: 2_000 } });
    const claimed = ledger.claim({ ...attempt(), dispatched: true });
    // The answer of the wait comes in time, or not at all.
    await expect(claimed).rejects.toThrow(/sent again after the wait|aborted due to/);
    expect(resent).toBe(1);
  });

  test('and an answer of the wait that is older than that of the script does not count', async () => {
    const claim = async (order: readonly number[]) => {
      const pipeline = (commands: unknown[][]) => ({
        async exec(): Promise<[null, unknown][]> {
          for (const index of order) (commands[index]!.at(-1) as () => void)();
          return [
            [null, ['won', '', 0]],
            [null, 1],
          ];
        },
      });
      const shape = {
        evalsha: async () => [],
        eval: async () => [],
        info: async () => '',
        pipeline,
      };
      const ledger = redisLedger(shape, { durability: { replicas: 1 } });
      return ledger.claim({ ...attempt(), dispatched: true });
    };
    expect(await claim([0, 1])).toEqual({ state: 'won' });
    await expect(claim([1, 0])).rejects.toThrow(/sent again after the wait/);
  });
});

describe('with durability: { fsync: true }', () => {
  test('the error for a server without WAITAOF, or without append-only file, says what to do', async () => {
    const claimed = durable({ fsync: true }).claim({ ...attempt(), dispatched: true });
    await expect(claimed).rejects.toMatchObject({
      code: 'SENDONCE_LEDGER_UNAVAILABLE',
      message: expect.stringMatching(
        /WAITAOF.*durability\.fsync needs WAITAOF \(Redis 7\.2.*appendfsync always/s,
      ),
    });
  });

  test('the email leaves when the file is written, where the server has WAITAOF', async ({
    skip,
  }) => {
    const known = (await admin.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
    skip(!known[0], 'this server has no WAITAOF');
    await admin.config('SET', 'appendonly', 'yes');
    const ledger = durable({ fsync: true });
    expect(await ledger.claim({ ...attempt(), dispatched: true })).toEqual({ state: 'won' });
    // The replica has no append-only file.
    const both = durable({ fsync: true, replicas: 1, answerWithinMs: 100 });
    const claimed = both.claim({ ...attempt(), dispatched: true });
    await expect(claimed).rejects.toThrow(/0 of the 1 replicas/);
    await admin.config('SET', 'appendonly', 'no');
  });
});

test('waits for 1 s, and for the disk for 3 s, as everysec takes up to one and more', async () => {
  const sent: unknown[] = [];
  const shape = {
    evalsha: async () => [],
    eval: async () => [],
    info: async () => '',
    pipeline: (commands: unknown[][]) => ({
      async exec(): Promise<[Error][]> {
        sent.push(commands.at(-1)!.slice(0, -1));
        return [[new Error('none')], [new Error('none')]];
      },
    }),
  };
  for (const durability of [{ replicas: 1 }, { fsync: true }, { fsync: true, replicas: 2 }]) {
    const ledger = redisLedger(shape, { durability });
    await expect(ledger.claim({ ...attempt(), dispatched: true })).rejects.toThrow(/none/);
  }
  expect(sent).toEqual([
    ['call', 'WAIT', 1, 1_000],
    ['call', 'WAITAOF', 1, 0, 3_000],
    ['call', 'WAITAOF', 1, 2, 3_000],
  ]);
});

describe('bad input', () => {
  test.each([
    [null, /Expected "durability" to be an object/],
    [{}, /to ask for something/],
    [{ replicas: 0 }, /to ask for something/],
    [{ answerWithinMs: 100 }, /to ask for something/],
    [{ replicas: 1.5 }, /"durability.replicas" to be a whole number from 1/],
    [{ replicas: -1 }, /"durability.replicas"/],
    [{ replicas: '1' }, /"durability.replicas"/],
    [{ replicas: 1, answerWithinMs: 0 }, /"durability.answerWithinMs"/],
    [{ replicas: 1, answerWithinMs: Infinity }, /"durability.answerWithinMs"/],
    [{ fsync: 'yes' }, /"durability.fsync" to be true or false/],
    [{ replicas: 1, timeout: 100 }, /has no option "timeout"/],
  ])('%j is refused', (durability, message) => {
    expect(() => redisLedger(admin, { durability: durability as never })).toThrow(message);
  });

  test('a client that cannot pipeline is refused', () => {
    const shape = { evalsha: async () => [], eval: async () => [], info: async () => '' };
    expect(() => redisLedger(shape, { durability: { replicas: 1 } })).toThrow(/have a pipeline/);
  });
});

function durable(durability: Durability): Ledger {
  return redisLedger(space.connect({}, master.url), { durability });
}

function attempt(key = deriveKey(createToken())) {
  return { key, token: createToken(), leaseMs: 60_000, retentionMs: 600_000 };
}

function place(key: string): string {
  return `sendonce:{${key[0]}}${key.slice(1)}`;
}

async function stateOnMaster(key: string): Promise<string> {
  try {
    return (await redisLedger(admin).read(key))?.state ?? 'absent';
  } catch (error) {
    if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) return 'unknown';
    throw error;
  }
}

async function inStep(): Promise<void> {
  await expect.poll(() => admin.info('replication'), { timeout: 15_000 }).toMatch(/state=online/);
  expect(await admin.wait(1, 5_000)).toBe(1);
}

/** How often the master has executed what the ledger sends. */
async function commands(): Promise<Record<string, number>> {
  const info = await admin.info('commandstats');
  const found = [...info.matchAll(/^cmdstat_(eval|evalsha|wait|waitaof):calls=(\d+)/gm)];
  return Object.fromEntries(found.map(([, name, calls]) => [name!, Number(calls)]));
}
