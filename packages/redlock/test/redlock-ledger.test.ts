import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger, LedgerUnavailableError } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger } from '@sendonce/redis';
import { eventually } from '@sendonce/testkit';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redlockLedger } from '../src/index.ts';
import { startNodes } from './nodes.ts';

let nodes: Awaited<ReturnType<typeof startNodes>>;
beforeAll(async () => {
  nodes = await startNodes(3);
  // A node that is met for the first time is given what the others have: before the first test.
  await nodes.ledger().read(attempt().key);
});
afterAll(() => nodes.close());

const attempt = (key = deriveKey(createToken()), leaseMs = 5_000) => ({
  key,
  token: createToken(),
  leaseMs,
  retentionMs: 600_000,
});

describe('bad input', () => {
  const lazy = (options: object = {}) => new Redis({ lazyConnect: true, ...options });
  const one = lazy();
  test.each([
    ['two nodes', [lazy(), lazy()], /an odd number of ioredis clients, three or more, got 2/],
    ['four nodes', [lazy(), lazy(), lazy(), lazy()], /got 4/],
    ['one node', [lazy()], /use redisLedger\(client\)/],
    ['no list', one, /got object/],
    ['the same client twice', [one, one, lazy()], /the same one twice/],
    ['a client with keyPrefix', [lazy(), lazy(), lazy({ keyPrefix: 'a:' })], /keyPrefix/],
    ['something that is no client', [lazy(), lazy(), {}], /ioredis client/],
    ['nothing in the list', [lazy(), lazy(), undefined], /ioredis client/],
  ])('%s is refused when the ledger is made', (_name, clients, message) => {
    expect(() => redlockLedger(clients as unknown as Redis[])).toThrow(message);
  });

  test('a Cluster among single nodes is refused', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
    expect(() => redlockLedger([lazy(), lazy(), cluster as unknown as Redis])).toThrow(
      /independent Redis servers, got a Cluster/,
    );
  });

  test.each([0, -1, Number.NaN, '500'])('answerWithinMs: %s is refused', (answerWithinMs) => {
    expect(() =>
      redlockLedger([lazy(), lazy(), lazy()], { answerWithinMs: answerWithinMs as number }),
    ).toThrow(/answerWithinMs/);
  });

  test('two clients of one server: the first verb says so, and no claim is left', async () => {
    const { servers, prefix } = nodes;
    const [a, b] = servers.map(({ url }) => url);
    const ledger = redlockLedger(nodes.connect([a!, b!, a!]), { prefix });
    const { key, ...rest } = attempt();
    await expect(ledger.claim({ key, ...rest })).rejects.toThrow(/are the same one .* vote twice/s);
    for (const client of nodes.connect()) expect(await client.exists(nodes.place(key))).toBe(0);
    expect(await ledger.doctor!()).toContainEqual(
      expect.objectContaining({ severity: 'error', check: 'majority' }),
    );
  });
});

describe('races', () => {
  // So many at once take a busy machine a while.
  const patient = () => nodes.ledger({ answerWithinMs: 5_000 });

  test('of 32 workers that claim in the same moment one wins, 50 times', async () => {
    const workers = Array.from({ length: 8 }, patient);
    for (let round = 0; round < 50; round++) {
      const key = deriveKey(createToken());
      const replies = await Promise.all(
        Array.from({ length: 32 }, (_, n) =>
          workers[n % 8]!.claim({ ...attempt(key), dispatched: round % 2 === 0 }),
        ),
      );
      const won = replies.filter(({ state }) => state === 'won').length;
      // None wins if five pauses did not part them: then all of them come back soon.
      expect(won).toBeLessThanOrEqual(1);
      if (won === 0) expect(new Set(replies.map(({ state }) => state))).toEqual(new Set(['busy']));
    }
  });

  test('of a dispatch and a cancellation one wins and the other loses, 300 times', async () => {
    const [sender, canceller] = [patient(), patient()];
    const ends = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const trying = attempt();
        await sender.claim(trying);
        const [dispatch, cancel] = await Promise.all([
          sender.dispatch(trying),
          canceller.cancel({ key: trying.key, retentionMs: 600_000 }),
        ]);
        const record = await canceller.read(trying.key);
        return `${dispatch.state}, ${cancel.state}: ${record?.state}`;
      }),
    );
    for (const end of new Set(ends)) {
      // "expired": the cancellation was not decided yet when the dispatch gave up.
      expect(end).toMatch(
        /^(dispatched, too-late: dispatched|(cancelled|expired), cancelled: cancelled)$/,
      );
    }
  });
});

describe('what one node remembers', () => {
  async function onNode(
    index: number,
    change: (ledger: Ledger, client: Redis) => Promise<unknown>,
  ) {
    const client = nodes.connect()[index]!;
    await change(redisLedger(client, { prefix: nodes.prefix }), client);
  }

  test('an email that a single node knows as sent is a duplicate, and no claim is left', async () => {
    const ledger = nodes.ledger();
    const [first, second] = [attempt(), attempt()];
    await onNode(2, (one) => one.settle({ ...first, outcome: 'sent', result: '1' }));
    expect(await ledger.claim({ ...second, key: first.key })).toMatchObject({
      state: 'duplicate',
      record: { token: first.token, result: '1' },
    });
    for (const client of nodes.connect().slice(0, 2)) {
      expect(await client.exists(nodes.place(first.key))).toBe(0);
    }
  });

  test('a dispatch that a single node knows is listed, and resolved on all of them', async () => {
    const ledger = nodes.ledger();
    const first = attempt(deriveKey(createToken()), 50);
    await onNode(1, (one) => one.claim({ ...first, dispatched: true }));
    expect(await ledger.claim(attempt(first.key))).toMatchObject({ state: 'busy' });
    await new Promise((resolve) => setTimeout(resolve, 120));
    const listed: string[] = [];
    for await (const { token } of ledger.list({ state: 'in-doubt' })) listed.push(token);
    expect(listed).toContain(first.token);
    const { key, token } = first;
    const resolution = { key, token, verdict: 'sent', by: 'a person', retentionMs: 9_999 } as const;
    expect(await ledger.resolve(resolution)).toEqual({ state: 'resolved' });
    expect(await ledger.resolve(resolution)).toEqual({ state: 'resolved' });
    for (const client of nodes.connect()) {
      expect(await client.get(nodes.place(key))).toMatch(new RegExp(`^1S${token}`));
    }
  });

  test('a node that missed the claim remembers the dispatch all the same', async () => {
    const ledger = nodes.ledger();
    const claim = attempt();
    expect(await ledger.claim(claim)).toEqual({ state: 'won' });
    await onNode(2, (_, client) => client.del(nodes.place(claim.key)));
    expect(await ledger.dispatch(claim)).toEqual({ state: 'dispatched' });
    const [, , third] = nodes.connect();
    await eventually(async () => {
      expect(await third!.get(nodes.place(claim.key))).toMatch(new RegExp(`^1D${claim.token}`));
    });
  });

  test('a dispatch that a single node knows of another attempt forbids the dispatch of this one', async () => {
    const ledger = nodes.ledger();
    const claim = attempt();
    const other = attempt(claim.key);
    await ledger.claim(claim);
    await onNode(2, async (one, client) => {
      await client.del(nodes.place(claim.key));
      await one.claim({ ...other, dispatched: true });
    });
    expect(await ledger.dispatch(claim)).toMatchObject({
      state: 'busy',
      record: { state: 'dispatched', token: other.token },
    });
    for (const client of nodes.connect().slice(0, 2)) {
      expect(await client.exists(nodes.place(claim.key))).toBe(0);
    }
  });

  test('a claim that a majority forgot is expired at its dispatch, and leaves nothing', async () => {
    const ledger = nodes.ledger();
    const claim = attempt();
    await ledger.claim(claim);
    for (const index of [0, 1]) {
      await onNode(index, (_, client) => client.del(nodes.place(claim.key)));
    }
    expect(await ledger.dispatch(claim)).toEqual({ state: 'expired' });
    for (const client of nodes.connect()) {
      expect(await client.exists(nodes.place(claim.key))).toBe(0);
    }
  });

  test('a cancellation that a single node knows is decided before it is believed', async () => {
    const ledger = nodes.ledger();
    const { key } = attempt();
    await onNode(0, (one) => one.cancel({ key, retentionMs: 600_000, by: 'customer' }));
    const { atMs } = (await ledger.read(key))!;
    await sleep(20);
    expect(await ledger.claim(attempt(key))).toMatchObject({ state: 'cancelled' });
    // Who cancelled it and when: not who has met it.
    const cancelled = { state: 'cancelled', atMs, by: 'customer' };
    for (const index of [0, 1, 2]) {
      await onNode(index, async (one) => expect(await one.read(key)).toMatchObject(cancelled));
    }
  });

  test('an unreadable record on one node stops the claim, and nothing of it is left', async () => {
    const ledger = nodes.ledger();
    const { key } = attempt();
    await onNode(1, (_, client) => client.set(nodes.place(key), 'something else'));
    await expect(ledger.claim(attempt(key))).rejects.toMatchObject({
      code: 'SENDONCE_UNREADABLE_RECORD',
    });
    expect(await nodes.connect()[0]!.exists(nodes.place(key))).toBe(0);
  });
});

test('an error tells how each node voted, and no more of a URL than host and port', async () => {
  const [up] = nodes.servers;
  const secret = 'redis://user:s3cret@127.0.0.1:1';
  const ledger = redlockLedger(nodes.connect([up!.url, secret, secret.replace(':1', ':2')]), {
    prefix: nodes.prefix,
    answerWithinMs: 100,
  });
  const error = await ledger.claim(attempt()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LedgerUnavailableError);
  expect((error as Error).cause).toMatchObject({
    votes: [
      { node: `127.0.0.1:${up!.port}`, vote: 'for' },
      { node: '127.0.0.1:1', vote: 'unreachable' },
      { node: '127.0.0.1:2', vote: 'unreachable' },
    ],
  });
  expect(String(error)).not.toContain('s3cret');
});

test('the doctor names the node', async () => {
  const findings = await nodes.ledger().doctor!();
  const { host, port } = nodes.servers[0]!;
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'persistence',
      found: expect.stringContaining(`${host}:${port}: There is no append-only file`),
    }),
  );
  const down = nodes.servers[2]!;
  down.pause();
  expect(await nodes.ledger({ answerWithinMs: 300 }).doctor!()).toContainEqual(
    expect.objectContaining({ severity: 'warning', check: 'node' }),
  );
  down.resume();
});
