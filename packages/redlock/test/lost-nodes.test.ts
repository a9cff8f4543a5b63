import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, isSendonceError, type Ledger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { afterEach, expect, test } from 'vitest';
import { QuorumError } from '../src/index.ts';
import { restartKilled, startNodes } from './nodes.ts';

type Nodes = Awaited<ReturnType<typeof startNodes>>;

const opened: Nodes[] = [];
afterEach(async () => {
  for (const nodes of opened.splice(0)) await nodes.close();
});

async function open(count: number, options: { appendOnly?: boolean } = {}): Promise<Nodes> {
  const nodes = await startNodes(count, options);
  opened.push(nodes);
  return nodes;
}

/** One email, by a worker that comes back as a queue would until it has an answer. */
async function deliver(ledger: Ledger, key: string, arrived: string[], forMs = 20_000) {
  const deadlineMs = performance.now() + forMs;
  for (;;) {
    const ended = await perform(() => void arrived.push(key), {
      ledger,
      key,
      leaseMs: 3_000,
      retentionMs: 600_000,
    }).catch((error: unknown) => {
      if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
      return { state: 'unavailable' as const };
    });
    if (ended.state !== 'busy' && ended.state !== 'unavailable') return ended.state;
    if (performance.now() > deadlineMs) return ended.state;
    await sleep(20 + Math.random() * 60);
  }
}

const faults = {
  'killed and restarted empty': async (server: Nodes['servers'][number]) => {
    await server.kill();
    await sleep(100);
    await server.restart();
  },
  frozen: async (server: Nodes['servers'][number]) => {
    server.pause();
    await sleep(400);
    server.resume();
  },
};

for (const [count, atOnce] of [
  [3, 1],
  [5, 2],
] as const) {
  for (const [name, fault] of Object.entries(faults)) {
    test(`${atOnce} of ${count} nodes ${name}, one after the other: never two emails, none lost`, async () => {
      const nodes = await open(count);
      const workers = Array.from({ length: 4 }, () => nodes.ledger());
      const arrived: string[] = [];
      const keys: string[] = [];
      const deliveries: Promise<string>[] = [];
      const over = new AbortController();

      const producer = (async () => {
        while (!over.signal.aborted) {
          const key = deriveKey(createToken());
          keys.push(key);
          // Two workers hold the same job.
          for (const offset of [0, 1]) {
            const worker = workers[(keys.length + offset) % workers.length]!;
            deliveries.push(deliver(worker, key, arrived));
          }
          await sleep(5);
        }
      })();
      // Every node is hit, so that a memory which was not handed on would be gone.
      for (let first = 0; first < count; first += atOnce) {
        const hit = nodes.servers.slice(first, first + atOnce);
        await Promise.all(hit.map(fault));
        await eventually(
          async () => {
            for (const server of hit) expect(await nodes.isInSync(server)).toBe(true);
          },
          { timeoutMs: 10_000 },
        );
      }
      over.abort();
      await producer;

      const states = await Promise.all(deliveries);
      expect(keys.length).toBeGreaterThan(50);
      expect(arrived.length).toBe(new Set(arrived).size);
      for (const state of states) expect(state).toMatch(/^(sent|duplicate)$/);
      expect(new Set(arrived)).toEqual(new Set(keys));

      // All jobs come once more, as after a lost acknowledgement of the queue.
      const again = await Promise.all(keys.map((key) => deliver(workers[0]!, key, arrived)));
      expect(new Set(again)).toEqual(new Set(['duplicate']));
      expect(arrived.length).toBe(keys.length);
    }, 60_000);
  }
}

test('the first start needs all nodes, and says so', async () => {
  const nodes = await open(3);
  nodes.servers[2]!.pause();
  const ledger = nodes.ledger();
  const refused = ledger.read(deriveKey(createToken()));
  await expect(refused).rejects.toThrow(/as at the first start, all nodes must be reachable/);
  nodes.servers[2]!.resume();
  await eventually(async () => expect(await ledger.read(deriveKey(createToken()))).toBeUndefined());
});

test('nodes that forgot one after the other forget nothing together', async () => {
  const nodes = await open(3);
  const ledger = nodes.ledger();
  const key = deriveKey(createToken());
  const arrived: string[] = [];
  expect(await deliver(ledger, key, arrived)).toBe('sent');
  for (const server of nodes.servers.slice(0, 2)) {
    await restartKilled(server);
    await eventually(async () => {
      await ledger.read(deriveKey(createToken()));
      expect(await nodes.isInSync(server)).toBe(true);
    });
  }
  // The two that have forgotten everything are a majority now.
  nodes.servers[2]!.pause();
  expect(await deliver(nodes.ledger(), key, arrived)).toBe('duplicate');
  expect(arrived).toEqual([key]);
});

test('a node that has just forgotten does not vote while the one that remembers is out of reach', async () => {
  const nodes = await open(3);
  const key = deriveKey(createToken());
  const arrived: string[] = [];
  const first = nodes.ledger();
  await first.read(key);
  // Dispatched and settled on two nodes only.
  await nodes.servers[2]!.kill();
  expect(await deliver(first, key, arrived)).toBe('sent');
  await nodes.servers[2]!.restart();
  nodes.servers[0]!.pause();
  await restartKilled(nodes.servers[1]!);
  // Node 2 is empty and node 3 never had the record: a plain majority of two that would send again.
  expect(await deliver(nodes.ledger(), key, arrived, 1_000)).toBe('unavailable');
  nodes.servers[0]!.resume();
  expect(await deliver(nodes.ledger(), key, arrived)).toBe('duplicate');
  expect(arrived).toEqual([key]);
});

for (const appendOnly of [true, false]) {
  test(`a majority gone ${appendOnly ? 'and back with its data' : 'and back empty'}: nothing is sent meanwhile, nothing lost`, async () => {
    const nodes = await open(3, { appendOnly });
    const ledger = nodes.ledger();
    const arrived: string[] = [];
    const [before, during] = [deriveKey(createToken()), deriveKey(createToken())];
    expect(await deliver(ledger, before, arrived)).toBe('sent');
    await Promise.all([nodes.servers[0]!.kill(), nodes.servers[1]!.kill()]);

    const refused = await perform(() => void arrived.push(during), {
      ledger,
      key: during,
      leaseMs: 1_500,
    }).catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ code: 'SENDONCE_LEDGER_UNAVAILABLE', mayHaveLeft: 'no' });
    const { votes } = (refused as Error).cause as QuorumError;
    expect(votes.map(({ vote }) => vote).toSorted()).toEqual(['for', 'unreachable', 'unreachable']);
    expect(arrived).toEqual([before]);

    const waiting = deliver(ledger, during, arrived);
    await Promise.all([nodes.servers[0]!.restart(), nodes.servers[1]!.restart()]);
    expect(await waiting).toBe('sent');
    expect(await deliver(ledger, before, arrived)).toBe('duplicate');
    expect(arrived).toEqual([before, during]);
  });
}

test('a majority that freezes between claim and dispatch: the email stays, and leaves when it returns', async () => {
  const nodes = await open(3);
  const ledger = nodes.ledger();
  const attempt = {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 10_000,
    retentionMs: 600_000,
  };
  expect(await ledger.claim(attempt)).toEqual({ state: 'won' });
  const hit = nodes.servers.slice(0, 2);
  for (const server of hit) server.pause();
  await expect(ledger.dispatch(attempt)).rejects.toMatchObject({
    code: 'SENDONCE_LEDGER_UNAVAILABLE',
    cause: { name: 'QuorumError' },
  });
  for (const server of hit) server.resume();
  await eventually(async () => {
    expect(await ledger.dispatch(attempt)).toEqual({ state: 'dispatched' });
  });
});
