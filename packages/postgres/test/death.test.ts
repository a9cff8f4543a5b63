import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startTcpProxy, startWorkerProcess } from '@sendonce/testkit';
import { Pool } from 'pg';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { attempt, listed, openSchema } from './database.ts';
import type { HolderData } from './fixtures/holder.ts';

const space = openSchema('death');
afterAll(() => space.close());
const pool = space.pool();
const ledger = space.ledger(pool);

/** A process that holds the claim of an email, or has dispatched it, and is paused there. */
async function holder(key: string, point: 'claimed' | 'dispatched') {
  await ledger.ready();
  const data: HolderData = { url: space.url, schema: space.schema, key };
  const file = new URL('./fixtures/holder.ts', import.meta.url);
  const worker = await startWorkerProcess({ file, data, armed: { [point]: 'halt' } });
  onTestFinished(async () => void (await worker.kill()));
  await worker.waitFor(point);
  return worker;
}

async function terminate(key: string): Promise<void> {
  const [held] = await space.query<{ session: string }>(
    'SELECT session FROM :schema.records WHERE key = $1',
    [key],
  );
  const ended = await space.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
     AND mode = 'ExclusiveLock' AND ((classid::bigint << 32) | objid::bigint) = $1`,
    [held!.session],
  );
  expect(ended).toHaveLength(1);
}

test('a worker killed while it holds a claim: another one takes over at once, before the lease ends', async () => {
  const key = deriveKey(createToken());
  const worker = await holder(key, 'claimed');
  expect(await ledger.claim(attempt({ key }))).toMatchObject({
    state: 'busy',
    record: { state: 'claimed' },
  });
  await worker.kill();
  // Its lease has 60 s.
  await eventually(
    async () => expect(await ledger.claim(attempt({ key }))).toEqual({ state: 'won' }),
    { timeoutMs: 15_000, everyMs: 5 },
  );
});

test('a worker killed after its dispatch: the email is in doubt at once, and is not sent again', async () => {
  const key = deriveKey(createToken());
  const worker = await holder(key, 'dispatched');
  expect((await ledger.read(key))?.state).toBe('dispatched');
  await worker.kill();
  await eventually(
    async () =>
      expect((await listed(ledger, 'in-doubt')).map((record) => record.key)).toContain(key),
    { timeoutMs: 15_000, everyMs: 5 },
  );
  const effect = () => expect.unreachable();
  expect(await perform(effect, { ledger, key })).toMatchObject({ state: 'in-doubt' });
  const [seen] = await space.query('SELECT state FROM :schema.emails WHERE key = $1', [key]);
  expect(seen).toEqual({ state: 'in-doubt' });
});

test('32 sessions want one email: one of them sends it', async () => {
  const key = deriveKey(createToken());
  const ledgers = Array.from({ length: 32 }, () => space.ledger(space.pool(space.url, { max: 2 })));
  let sent = 0;
  const results = await Promise.all(
    ledgers.map((ledger) =>
      perform(
        async (claim) => {
          await claim.dispatch();
          return ++sent;
        },
        { ledger, key, dispatch: 'at-send' },
      ),
    ),
  );
  expect(sent).toBe(1);
  const states = results.map(({ state }) => state);
  expect(states.filter((state) => state === 'sent')).toHaveLength(1);
  expect(states.every((state) => ['sent', 'busy', 'duplicate'].includes(state))).toBe(true);
  await Promise.all(ledgers.map((ledger) => ledger.close()));
});

test('two attempts in one process share the session, and exclude each other all the same', async () => {
  const first = attempt();
  expect(await ledger.claim(first)).toEqual({ state: 'won' });
  expect((await ledger.claim(attempt({ key: first.key }))).state).toBe('busy');
  await ledger.release(first);
});

test('a session that ends mid-send: the signal fires at once, and its living sender sends a heartbeat', async () => {
  const key = deriveKey(createToken());
  const result = await perform(
    async (claim) => {
      await claim.dispatch();
      const aborted = new Promise<void>((resolve) => {
        claim.signal.addEventListener('abort', () => resolve());
      });
      await terminate(key);
      // The next heartbeat comes after 20 s, and this test has no more than that.
      await aborted;
      // Otherwise a person might find "not sent" while it is on its way.
      await eventually(async () =>
        expect(await space.ledger(pool).read(key)).toMatchObject({ state: 'dispatched' }),
      );
      expect((await space.ledger(pool).claim(attempt({ key }))).state).toBe('busy');
      return 'sent late';
    },
    { ledger, key, dispatch: 'at-send', leaseMs: 60_000 },
  );
  expect(result.state).toBe('sent');
  expect(await ledger.read(key)).toMatchObject({ state: 'sent', result: '"sent late"' });
});

test('a session that ends before the dispatch: nothing is sent, and another attempt may', async () => {
  const key = deriveKey(createToken());
  let aborted = false;
  const result = await perform(
    async (claim) => {
      claim.signal.addEventListener('abort', () => (aborted = true));
      await terminate(key);
      await eventually(() => expect(aborted).toBe(true));
      await claim.dispatch();
      expect.unreachable();
    },
    { ledger, key, dispatch: 'at-send', leaseMs: 60_000 },
  );
  expect(result.state).toBe('busy');
  expect(await perform(() => 'sent', { ledger, key })).toMatchObject({ state: 'sent' });
});

test('a sender that is cut off: its email is in doubt, until it comes back and tells', async () => {
  const proxy = await startTcpProxy({ url: space.url });
  onTestFinished(() => proxy.close());
  const cutOff = space.ledger(space.pool(proxy.url), { answerWithinMs: 2_000 });
  const lost: string[] = [];
  cutOff.onLost!((tokens) => lost.push(...tokens));
  const first = attempt();
  expect(await cutOff.claim({ ...first, dispatched: true })).toEqual({ state: 'won' });
  // New connections get no byte, and the old one is gone.
  proxy.pause();
  await terminate(first.key);
  proxy.cut();
  await eventually(() => expect(lost).toEqual([first.token]));
  await eventually(async () =>
    expect((await listed(ledger, 'in-doubt')).map(({ key }) => key)).toContain(first.key),
  );
  proxy.resume();
  await eventually(async () =>
    expect(await cutOff.settle({ ...first, outcome: 'sent' })).toEqual({ state: 'settled' }),
  );
  expect((await ledger.read(first.key))?.state).toBe('sent');
  await cutOff.close();
});

test('a connection on which nothing moves is given up, and its claims with it', async () => {
  const proxy = await startTcpProxy({ url: space.url });
  onTestFinished(() => proxy.close());
  const still = space.ledger(space.pool(proxy.url), { answerWithinMs: 2_000 });
  const first = attempt();
  const lost: string[] = [];
  still.onLost!((tokens) => lost.push(...tokens));
  await still.claim(first);
  proxy.pause();
  await expect(still.dispatch(first)).rejects.toMatchObject({
    code: 'SENDONCE_LEDGER_UNAVAILABLE',
  });
  expect(lost).toEqual([first.token]);
  proxy.resume();
  // Executed late or not at all: the repeat finds out.
  await eventually(async () =>
    expect((await still.dispatch(first)).state).toMatch(/^(dispatched|expired)$/),
  );
  expect(await still.claim(attempt())).toEqual({ state: 'won' });
  await still.close();
});

test('a session that ends is no uncaught error, even if the pool has no error listener', async () => {
  const silent = new Pool({ connectionString: space.url });
  const own = space.ledger(silent);
  for (let round = 0; round < 3; round++) {
    const first = attempt();
    await own.claim({ ...first, dispatched: true });
    await terminate(first.key);
    await eventually(async () =>
      expect(await own.settle({ ...first, outcome: 'in-doubt' })).toEqual({ state: 'settled' }),
    );
  }
  await own.close();
  await silent.end();
});

test('a frozen worker keeps its session, so others wait; once it is ended, the worker cannot dispatch', async () => {
  const key = deriveKey(createToken());
  const worker = await holder(key, 'claimed');
  await worker.stop();
  expect((await ledger.claim(attempt({ key }))).state).toBe('busy');
  await terminate(key);
  await eventually(async () =>
    expect(await perform(() => 'sent', { ledger, key })).toMatchObject({ state: 'sent' }),
  );
  worker.continue();
  worker.goOn('claimed');
  await worker.exited;
  // It tried again after its session had ended, and found that the email was sent.
  expect(worker.messages).toEqual(['duplicate']);
});

test('a process whose ledger is idle ends', async () => {
  const worker = await holder(deriveKey(createToken()), 'dispatched');
  const startMs = performance.now();
  worker.goOn('dispatched');
  expect(await worker.exited).toMatchObject({ code: 0 });
  expect(worker.messages).toEqual(['sent']);
  // The ledger closes a session that is idle after 10 s, and the process ends before that.
  expect(performance.now() - startMs).toBeLessThan(9_000);
});
