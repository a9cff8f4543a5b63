import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger } from '@sendonce/redis';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redlockLedger } from '../src/index.ts';
import { hooked, type ScriptName } from './hooked-client.ts';
import { startNodes } from './nodes.ts';

/** Two verbs meet between two commands of one of them: the test holds up the second command. */

let nodes: Awaited<ReturnType<typeof startNodes>>;
let ledger: Ledger;
let direct: Redis[];
let single: Ledger[];
beforeAll(async () => {
  nodes = await startNodes(3);
  ledger = nodes.ledger();
  direct = nodes.connect();
  single = direct.map((client) => redisLedger(client, { prefix: nodes.prefix }));
  await ledger.read(deriveKey(createToken()));
});
afterAll(() => nodes.close());

const attempt = (key = deriveKey(createToken()), leaseMs = 5_000): Attempt => ({
  key,
  token: createToken(),
  leaseMs,
  retentionMs: 600_000,
});

/** A ledger that does something before the first command of a name leaves for a node. */
function hookedLedger(...before: readonly { readonly [name in ScriptName]?: () => unknown }[]) {
  const clients = nodes.connect().map((client, index) => hooked(client, before[index] ?? {}));
  return redlockLedger(clients, { prefix: nodes.prefix, answerWithinMs: 10_000 });
}

/** The same for each of the nodes: done once, and all of them wait for it. */
function onAll(name: ScriptName, action: () => Promise<unknown>) {
  let done: Promise<unknown> | undefined;
  const hook = { [name]: () => (done ??= action()) };
  return [hook, hook, hook];
}

/** State letter and first letters of the token on each node, or nothing. */
async function stored({ key }: Pick<Attempt, 'key'>): Promise<(string | undefined)[]> {
  const values = await Promise.all(direct.map((client) => client.get(nodes.place(key))));
  return values.map((value) => value?.slice(1, 6));
}
const as = (letter: string, { token }: Attempt) => letter + token.slice(0, 4);

/** Whether the node still lists it as open. */
async function isIndexed(index: number, { key }: Attempt): Promise<boolean> {
  const place = `${nodes.prefix}:{${key[0]}}:open`;
  return (await direct[index]!.zscore(place, key.slice(1))) !== null;
}

/** The node has had no command of the sender for too long. */
async function fallInDoubt(index: number, { key }: Attempt): Promise<void> {
  await direct[index]!.zadd(`${nodes.prefix}:{${key[0]}}:open`, 1, key.slice(1));
}

async function dispatched(leaseMs?: number): Promise<Attempt> {
  const trying = attempt(deriveKey(createToken()), leaseMs);
  expect(await ledger.claim({ ...trying, dispatched: true })).toEqual({ state: 'won' });
  return trying;
}

async function inDoubt(): Promise<Attempt> {
  const trying = await dispatched();
  expect(await ledger.settle({ ...trying, outcome: 'in-doubt' })).toEqual({ state: 'settled' });
  return trying;
}

const verdict = ({ key, token, retentionMs }: Attempt, of: 'sent' | 'not-sent') =>
  ({ key, token, retentionMs, verdict: of, by: 'a person' }) as const;

describe('a cancellation', () => {
  test('of an email that is released before it is read is written, or is not acknowledged', async () => {
    const trying = await dispatched();
    const canceller = hookedLedger(...onAll('read', () => ledger.release(trying)));
    const { key } = trying;
    expect(await canceller.cancel({ key, retentionMs: 600_000 })).toEqual({ state: 'cancelled' });
    expect(await ledger.read(key)).toMatchObject({ state: 'cancelled' });
    expect(await ledger.claim(attempt(key))).toMatchObject({ state: 'cancelled' });
  });

  test('is not forgotten sooner because an attempt with a short retention has met it', async () => {
    const email = attempt();
    // A cancellation that one node shows may be decided or not: the claim completes it.
    await single[0]!.cancel({ ...email, retentionMs: 60_000 });
    const late = { ...attempt(email.key), retentionMs: 50 };
    expect(await ledger.claim(late)).toMatchObject({ state: 'cancelled' });
    await sleep(100);
    expect(await ledger.claim(attempt(email.key))).toMatchObject({ state: 'cancelled' });
  });
});

describe('an outcome that is lost', () => {
  /** Two nodes know that another attempt has dispatched, the third one missed it. */
  async function rivalsOnTwo(): Promise<[winner: Attempt, loser: Attempt]> {
    const winner = attempt();
    for (const index of [0, 1]) await single[index]!.claim({ ...winner, dispatched: true });
    return [winner, attempt(winner.key)];
  }

  test.each(['sent', 'rejected', 'in-doubt'] as const)(
    '%s: is nowhere, and what won is read',
    async (outcome) => {
      const [winner, loser] = await rivalsOnTwo();
      const record = { state: 'dispatched', token: winner.token };
      expect(await ledger.settle({ ...loser, outcome })).toMatchObject({ state: 'lost', record });
      expect(await stored(loser)).toEqual([as('D', winner), as('D', winner), undefined]);
      expect(await isIndexed(2, loser)).toBe(false);
      expect(await ledger.read(winner.key)).toMatchObject(record);
    },
  );

  test('a cancellation stays cancelled', async () => {
    const loser = attempt();
    for (const one of single.slice(0, 2)) await one.cancel({ ...loser });
    for (const outcome of ['rejected', 'in-doubt'] as const) {
      expect(await ledger.settle({ ...loser, outcome })).toMatchObject({ state: 'lost' });
      expect(await ledger.read(loser.key)).toMatchObject({ state: 'cancelled' });
      expect((await stored(loser))[2]).toBeUndefined();
    }
  });

  test('takes nothing back that another attempt wrote meanwhile', async () => {
    const [winner, loser] = await rivalsOnTwo();
    const settling = hookedLedger(
      {},
      {},
      {
        async undo() {
          await direct[2]!.del(nodes.place(winner.key));
          await single[2]!.claim({ ...winner, dispatched: true });
        },
      },
    );
    expect(await settling.settle({ ...loser, outcome: 'sent' })).toMatchObject({ state: 'lost' });
    expect(await stored(loser)).toEqual(Array(3).fill(as('D', winner)));
    expect(await isIndexed(2, winner)).toBe(true);
  });
});

describe('two verdicts of one doubt', () => {
  test('"sent" after "not sent" is refused, and nothing is written', async () => {
    const doubt = await inDoubt();
    const second = hookedLedger(
      ...onAll('resolve', async () => {
        expect(await ledger.resolve(verdict(doubt, 'not-sent'))).toEqual({ state: 'resolved' });
      }),
    );
    const reply = await second.resolve(verdict(doubt, 'sent'));
    expect(reply).toEqual({ state: 'not-in-doubt', record: undefined });
    expect(await stored(doubt)).toEqual([undefined, undefined, undefined]);
  });

  test('"sent" on a single node wins over "not sent" on the others', async () => {
    const doubt = await inDoubt();
    const first = hookedLedger(
      {},
      {},
      {
        async resolve() {
          // It has left the first two.
          await expect.poll(() => stored(doubt)).toEqual([undefined, undefined, as('D', doubt)]);
          expect(await ledger.resolve(verdict(doubt, 'sent'))).toEqual({ state: 'resolved' });
        },
      },
    );
    expect(await first.resolve(verdict(doubt, 'not-sent'))).toMatchObject({
      state: 'not-in-doubt',
      record: { state: 'sent', token: doubt.token },
    });
    expect(await stored(doubt)).toEqual(Array(3).fill(as('S', doubt)));
  });

  test.each(['sent', 'not-sent'] as const)(
    '"%s" ends it, also on a node that gets a heartbeat of the sender meanwhile',
    async (of) => {
      const doubt = await inDoubt();
      const resolving = hookedLedger({}, {}, { resolve: () => single[2]!.heartbeat([doubt]) });
      expect(await resolving.resolve(verdict(doubt, of))).toEqual({ state: 'resolved' });
      const left = of === 'sent' ? as('S', doubt) : undefined;
      expect(await stored(doubt)).toEqual([left, left, left]);
      expect(await isIndexed(2, doubt)).toBe(false);
    },
  );

  test('who resolved it is read on every node, with the job and what the doubt said', async () => {
    const doubt = { ...attempt(), job: { queue: 'notices', id: '7' }, fingerprint: 'to=eve' };
    const late = { outcome: 'in-doubt', note: 'ETIMEDOUT', messageId: '<a@b>' } as const;
    await single[1]!.settle({ ...doubt, ...late, lateNotSent: true });
    expect(await ledger.read(doubt.key)).toMatchObject({ lateNotSent: true });
    expect(await ledger.resolve(verdict(doubt, 'sent'))).toEqual({ state: 'resolved' });
    const { key, token, job, fingerprint } = doubt;
    const { note, messageId } = late;
    for (const one of single) {
      const atMs: unknown = expect.any(Number);
      const sent = { key, token, state: 'sent', atMs, job, fingerprint, note, messageId };
      expect(await one.read(key)).toEqual({ ...sent, resolvedBy: 'a person' });
    }
  });
});

describe('giving back', () => {
  test('a doubt stays where it is, and is listed', async () => {
    const doubt = await inDoubt();
    expect(await ledger.release(doubt)).toEqual({ state: 'in-doubt' });
    expect(await ledger.release(doubt)).toEqual({ state: 'in-doubt' });
    expect(await stored(doubt)).toEqual(Array(3).fill(as('D', doubt)));
    expect(await ledger.read(doubt.key)).toMatchObject({ state: 'in-doubt' });
    await ledger.resolve(verdict(doubt, 'not-sent'));
  });

  test('a doubt of two nodes stays, though the third one gave it back', async () => {
    const trying = await dispatched();
    for (const index of [0, 1]) await fallInDoubt(index, trying);
    expect(await ledger.release(trying)).toEqual({ state: 'in-doubt' });
    expect(await ledger.read(trying.key)).toMatchObject({ state: 'in-doubt' });
    await ledger.resolve(verdict(trying, 'not-sent'));
  });

  test('a doubt of a single node that missed heartbeats is given back as well', async () => {
    const trying = await dispatched();
    await fallInDoubt(2, trying);
    expect(await ledger.release(trying)).toEqual({ state: 'released' });
    expect(await stored(trying)).toEqual([undefined, undefined, undefined]);
    expect(await isIndexed(2, trying)).toBe(false);
  });

  test('is lost where the rest of it is resolved as "sent" meanwhile', async () => {
    const trying = await dispatched();
    await fallInDoubt(2, trying);
    const sender = hookedLedger(
      {},
      {},
      {
        async undo() {
          expect(await ledger.resolve(verdict(trying, 'sent'))).toEqual({ state: 'resolved' });
        },
      },
    );
    expect(await sender.release(trying)).toEqual({ state: 'lost' });
    expect(await stored(trying)).toEqual(Array(3).fill(as('S', trying)));
  });

  test('of a doubt that its sender ended meanwhile wins over "sent"', async () => {
    const doubt = await inDoubt();
    const resolving = hookedLedger(
      ...onAll('resolve', async () => {
        for (const one of single.slice(0, 2)) await one.heartbeat([doubt]);
        expect(await ledger.release(doubt)).toEqual({ state: 'released' });
      }),
    );
    const reply = await resolving.resolve(verdict(doubt, 'sent'));
    expect(reply).toEqual({ state: 'not-in-doubt', record: undefined });
    expect(await stored(doubt)).toEqual([undefined, undefined, undefined]);
  });

  test('of a dispatch that lost: no doubt is left, however slow the nodes are', async () => {
    const [claim, other] = [attempt(deriveKey(createToken()), 200), attempt()];
    expect(await ledger.claim(claim)).toEqual({ state: 'won' });
    await direct[2]!.del(nodes.place(claim.key));
    await single[2]!.claim({ ...other, key: claim.key, dispatched: true });
    const slow = { undo: () => sleep(450), release: () => sleep(450) };
    expect(await hookedLedger(slow, slow, slow).dispatch(claim)).toMatchObject({ state: 'busy' });
    expect(await stored(claim)).toEqual([undefined, undefined, as('D', other)]);
    expect(await isIndexed(0, claim)).toBe(false);
  });
});

describe('what the nodes remember differently', () => {
  test('a doubt of a single node is reported when a majority remembers it', async () => {
    const doubt = { ...attempt(), job: { queue: 'notices', id: '7' } };
    const late = { outcome: 'in-doubt', note: 'ETIMEDOUT', lateNotSent: true } as const;
    await single[1]!.settle({ ...doubt, ...late });
    const { job } = doubt;
    expect(await ledger.claim(attempt(doubt.key))).toMatchObject({
      state: 'in-doubt',
      record: { token: doubt.token, note: 'ETIMEDOUT', lateNotSent: true, job },
    });
    expect(await stored(doubt)).toEqual(Array(3).fill(as('D', doubt)));
    for (const one of single) {
      expect(await one.read(doubt.key)).toMatchObject({
        note: 'ETIMEDOUT',
        lateNotSent: true,
        job,
      });
    }
    // The node that had it alone comes back empty.
    await direct[1]!.del(nodes.place(doubt.key));
    expect(await ledger.read(doubt.key)).toMatchObject({ state: 'in-doubt' });
    expect(await ledger.resolve(verdict(doubt, 'not-sent'))).toEqual({ state: 'resolved' });
    expect(await stored(doubt)).toEqual([undefined, undefined, undefined]);
  });

  test('a dispatch without majority is taken back, but no doubt that others have read meanwhile', async () => {
    const [late, other] = [attempt(deriveKey(createToken()), 200), attempt()];
    expect(await ledger.claim(late)).toEqual({ state: 'won' });
    // Two nodes have lost the claim, so that it is dispatched on one; what takes it back arrives
    // late.
    for (const index of [1, 2]) await direct[index]!.del(nodes.place(late.key));
    let told: unknown;
    const dispatching = hookedLedger(
      {
        async undo() {
          await sleep(450);
          told = await ledger.claim({ ...other, key: late.key });
        },
      },
      {},
      {},
    );
    expect(await dispatching.dispatch(late)).toMatchObject({ state: 'expired' });
    await expect
      .poll(() => told, { timeout: 10_000 })
      .toMatchObject({ state: 'in-doubt', record: { token: late.token } });
    await sleep(100);
    expect(await ledger.read(late.key)).toMatchObject({ state: 'in-doubt', token: late.token });
    await ledger.resolve(verdict(late, 'not-sent'));
  });

  test('a node that missed a doubt does not say anew what its repeated claim said', async () => {
    const doubt = await inDoubt();
    await ledger.settle({ ...doubt, outcome: 'in-doubt', note: 'ETIMEDOUT' });
    expect(await ledger.heartbeat([doubt])).toEqual(['kept']);
    await direct[0]!.del(nodes.place(doubt.key));
    await sleep(5);
    const again = { ...doubt, fingerprint: 'to=eve', dispatched: true };
    expect(await ledger.claim(again)).toEqual({ state: 'won' });
    const record = await ledger.read(doubt.key);
    expect(record).toMatchObject({ state: 'dispatched', note: 'ETIMEDOUT' });
    expect(record).not.toHaveProperty('fingerprint');
  });

  test('the last outcome of an attempt is read, not that of a node that missed it', async () => {
    const settled = attempt();
    await single[0]!.settle({ ...settled, outcome: 'sent', result: '1' });
    await sleep(5);
    for (const one of single.slice(1))
      await one.settle({ ...settled, outcome: 'sent', result: '2' });
    expect(await ledger.read(settled.key)).toMatchObject({ result: '2' });
  });

  test('a heartbeat that a single node received does not end the doubt of the others', async () => {
    const doubt = await inDoubt();
    await single[2]!.heartbeat([doubt]);
    expect(await ledger.read(doubt.key)).toMatchObject({ state: 'in-doubt' });
    expect(await ledger.claim(attempt(doubt.key))).toMatchObject({ state: 'in-doubt' });
    expect(await ledger.release(doubt)).toEqual({ state: 'in-doubt' });
    expect(await ledger.resolve(verdict(doubt, 'not-sent'))).toEqual({ state: 'resolved' });
    expect(await stored(doubt)).toEqual([undefined, undefined, undefined]);
  });

  test('nor does it put that doubt behind an email that is being sent', async () => {
    const doubt = await inDoubt();
    const sending = await dispatched(1_000);
    await single[2]!.heartbeat([doubt]);
    const listed: string[] = [];
    for await (const { key } of ledger.list({ state: 'open' })) listed.push(key);
    expect(listed.indexOf(doubt.key)).toBeLessThan(listed.indexOf(sending.key));
    expect(listed).toContain(doubt.key);
  });
});
