import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startRedis } from '@sendonce/testkit';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { type RedisClient, redisLedger, type RedisLedgerOptions } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('command-queue');
const { prefix } = space;
const client = space.connect();
afterAll(() => space.close());

const attempt = () => ({
  key: deriveKey(createToken()),
  token: createToken(),
  leaseMs: 60_000,
  retentionMs: 600_000,
});

const VERBS = /^(cancel|claim|dispatch|heartbeat|read|release|resolve|settle)$/;

/** A ledger whose calls wait for `letGo()` while it is held. */
async function heldLedger(options: RedisLedgerOptions = {}) {
  const calls: string[][] = [];
  const held: (() => void)[] = [];
  let isHeld = false;
  const own: RedisClient = {
    eval: client.eval.bind(client),
    info: client.info.bind(client),
    async evalsha(sha, numberOfKeys, ...args) {
      calls.push(
        args
          .slice(numberOfKeys)
          .map(String)
          .filter((word) => VERBS.test(word)),
      );
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      return client.evalsha(sha, numberOfKeys, ...args);
    },
  };
  const ledger = redisLedger(own, { prefix, ...options });
  // The server learns the script.
  await ledger.read(attempt().key);
  calls.length = 0;
  return {
    ledger,
    calls,
    hold: (on = true) => void (isHeld = on),
    letGo: () => {
      isHeld = false;
      for (const go of held.splice(0)) go();
    },
  };
}

test('verbs of every kind share the call after the one that is on its way', async () => {
  const { ledger, calls, hold, letGo } = await heldLedger();
  const [one, two, three] = [attempt(), attempt(), attempt()];
  for (const email of [one, two]) await ledger.claim(email);
  calls.length = 0;
  hold();
  const first = ledger.read(three.key);
  await nextTurn();
  const others = [
    ledger.settle({ ...one, outcome: 'sent' }),
    ledger.release(two),
    ledger.heartbeat([one]),
    ledger.claim(three),
    ledger.cancel(attempt()),
  ];
  letGo();
  expect(await first).toBeUndefined();
  expect(await Promise.all(others)).toEqual([
    { state: 'settled' },
    { state: 'released' },
    ['kept'],
    { state: 'won' },
    { state: 'cancelled' },
  ]);
  expect(calls.map((verbs) => verbs.length)).toEqual([1, 5]);
});

test('a heartbeat goes before a long list of others that was asked first', async () => {
  const { ledger, calls, hold, letGo } = await heldLedger();
  const email = attempt();
  await ledger.claim(email);
  calls.length = 0;
  hold();
  const reads = Array.from({ length: 1_000 }, () => ledger.read(attempt().key));
  await nextTurn();
  const kept = ledger.heartbeat([email]);
  letGo();
  expect(await kept).toEqual(['kept']);
  await Promise.all(reads);
  expect(calls.findIndex((verbs) => verbs[0] === 'heartbeat')).toBe(1);
  expect(Math.max(...calls.map((verbs) => verbs.length))).toBe(64);
});

describe('a call that is not answered', () => {
  test('fails its commands within their deadline, and the next call leaves after some ms', async () => {
    const { ledger, calls, hold, letGo } = await heldLedger({ answerWithinMs: 300 });
    const email = attempt();
    hold();
    const first = ledger.read(email.key).catch((error: unknown) => error);
    await eventually(() => expect(calls).toHaveLength(1));
    hold(false);
    const beganMs = performance.now();
    expect(await ledger.claim(email)).toEqual({ state: 'won' });
    expect(performance.now() - beganMs).toBeLessThan(250);
    expect(String(await first)).toMatch(/no answer within 300 ms/);
    letGo();
  });

  test('nor are those behind it: each command fails within its own deadline', async () => {
    const { ledger, calls, hold, letGo } = await heldLedger({ answerWithinMs: 300 });
    hold();
    const took = async (command: Promise<unknown>) => {
      const askedMs = performance.now();
      await expect(command).rejects.toThrow(/no answer within 300 ms/);
      return performance.now() - askedMs;
    };
    const first = took(ledger.read(attempt().key));
    await eventually(() => expect(calls).toHaveLength(1));
    await sleep(150);
    const second = took(ledger.read(attempt().key));
    for (const ms of await Promise.all([first, second])) {
      expect(ms).toBeGreaterThan(250);
      expect(ms).toBeLessThan(800);
    }
    letGo();
  });
});

test('while the memory is full, a claim beside an outcome is refused, and the outcome is recorded', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const own = space.connect({}, server.url);
  const ledger = redisLedger(own);
  const [sent, late] = [attempt(), attempt()];
  await ledger.claim({ ...sent, dispatched: true });
  await own.config('SET', 'maxmemory', '1');
  const [settled, claimed] = await Promise.allSettled([
    ledger.settle({ ...sent, outcome: 'sent' }),
    ledger.claim({ ...late, dispatched: true }),
  ]);
  await own.config('SET', 'maxmemory', '0');
  expect(settled).toMatchObject({ value: { state: 'settled' } });
  expect(claimed).toMatchObject({
    reason: {
      code: 'SENDONCE_LEDGER_UNAVAILABLE',
      message: expect.stringMatching(/\(OOM .*memory of the server is full/s),
    },
  });
  expect(await ledger.read(late.key)).toBeUndefined();
});

test('a client that reconnects when its server has become a replica sees the error', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const seen: string[] = [];
  const own = space.connect(
    {
      reconnectOnError(error) {
        seen.push(error.message);
        return false;
      },
    },
    server.url,
  );
  const ledger = redisLedger(own);
  await ledger.claim(attempt());
  await own.call('REPLICAOF', '127.0.0.1', '1');
  await expect(ledger.claim(attempt())).rejects.toThrow(/refused a command \(READONLY/);
  expect(seen.join()).toMatch(/READONLY/);
});
