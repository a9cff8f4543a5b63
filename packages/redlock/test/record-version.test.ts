import { deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restartKilled, startNodes } from './nodes.ts';

let nodes: Awaited<ReturnType<typeof startNodes>>;
let ledger: Ledger;
let direct: Redis[];
beforeAll(async () => {
  nodes = await startNodes(3);
  ledger = nodes.ledger({ answerWithinMs: 10_000 });
  direct = nodes.connect();
  await ledger.read(deriveKey(createToken()));
});
afterAll(() => nodes.close());

const KEPT_MS = 600_000;

const createAttempt = () => ({
  key: deriveKey(createToken()),
  token: createToken(),
  leaseMs: 60_000,
  retentionMs: KEPT_MS * 10,
});
type Attempt = ReturnType<typeof createAttempt>;

const indexOf = (key: string) => `${nodes.prefix}:{${key[0]}}:open`;

const formats = [
  {
    format: 'a newer format',
    encode: (state: string, token: string) => `2${state}${token}1795000000000\nnotices\n17`,
  },
  {
    format: 'no format, as before there were versions',
    encode: (state: string, token: string) => `${state}${token}1795000000000\n\nnotices:17\n\n\n`,
  },
];

const verbs: Readonly<Record<string, (attempt: Attempt) => Promise<unknown>>> = {
  claim: (attempt) => ledger.claim(attempt),
  'claim with dispatch': (attempt) => ledger.claim({ ...attempt, dispatched: true }),
  dispatch: (attempt) => ledger.dispatch(attempt),
  'settle sent': (attempt) => ledger.settle({ ...attempt, outcome: 'sent' }),
  'settle rejected': (attempt) => ledger.settle({ ...attempt, outcome: 'rejected' }),
  'settle in doubt': (attempt) => ledger.settle({ ...attempt, outcome: 'in-doubt' }),
  release: (attempt) => ledger.release(attempt),
  read: ({ key }) => ledger.read(key),
  'resolve sent': (attempt) => ledger.resolve({ ...attempt, verdict: 'sent', by: 'Ada' }),
  'resolve not sent': (attempt) => ledger.resolve({ ...attempt, verdict: 'not-sent', by: 'Ada' }),
  cancel: (attempt) => ledger.cancel(attempt),
};

describe.each(formats)('on two of three nodes, a record of $format', ({ encode }) => {
  async function store(state: string, on: readonly Redis[] = direct.slice(0, 2)) {
    const attempt = createAttempt();
    const bytes = encode(state, attempt.token);
    const { key } = attempt;
    for (const client of on) {
      await client.set(nodes.place(key), bytes, 'PX', KEPT_MS);
      if (state === 'D') await client.zadd(indexOf(key), 1, key.slice(1));
    }
    return { attempt, bytes };
  }
  const storedOn = (client: Redis, { key }: Attempt) => client.get(nodes.place(key));

  test.each(Object.keys(verbs))('is unreadable to %s, and stays as it is', async (name) => {
    for (const state of ['C', 'D', 'S', 'R', 'X']) {
      const { attempt, bytes } = await store(state);
      for (const token of [attempt.token, createToken()]) {
        const answer = verbs[name]!({ ...attempt, token });
        await expect(answer).rejects.toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD' });
        for (const client of direct.slice(0, 2))
          expect(await storedOn(client, attempt)).toBe(bytes);
      }
    }
  });

  test('is lost to a heartbeat, which keeps the other claims', async () => {
    const { attempt, bytes } = await store('C');
    const other = createAttempt();
    expect(await ledger.claim(other)).toEqual({ state: 'won' });
    expect(await ledger.heartbeat([attempt, other])).toEqual(['lost', 'kept']);
    for (const client of direct.slice(0, 2)) expect(await storedOn(client, attempt)).toBe(bytes);
  });

  test('hides no other record from a list, which throws after them', async () => {
    const { attempt } = await store('D');
    const other = createAttempt();
    await ledger.settle({ ...other, outcome: 'in-doubt' });
    const listed: string[] = [];
    const list = async () => {
      for await (const { key } of ledger.list({ state: 'in-doubt' })) listed.push(key);
    };
    await expect(list()).rejects.toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD' });
    expect(listed).toContain(other.key);
    for (const client of direct) await client.zrem(indexOf(attempt.key), attempt.key.slice(1));
  });

  test('is given to a node that forgot everything, byte by byte, so that it is not sent again', async () => {
    const [sent, doubt] = [await store('S'), await store('D')];
    const { key } = doubt.attempt;
    for (const client of direct.slice(0, 2)) await client.persist(nodes.place(key));
    const empty = nodes.servers[2]!;
    await restartKilled(empty);
    await eventually(async () => {
      await ledger.read(deriveKey(createToken()));
      expect(await nodes.isInSync(empty)).toBe(true);
    });
    for (const { attempt, bytes } of [sent, doubt]) {
      expect(await storedOn(direct[2]!, attempt)).toBe(bytes);
      await expect(ledger.claim(createAttemptFor(attempt))).rejects.toMatchObject({
        code: 'SENDONCE_UNREADABLE_RECORD',
      });
    }
    expect(await direct[2]!.pttl(nodes.place(sent.attempt.key))).toBeGreaterThan(KEPT_MS / 2);
    expect(await direct[2]!.pttl(nodes.place(key))).toBe(-1);
    expect(await direct[2]!.zscore(indexOf(key), key.slice(1))).toBe('1');
    for (const client of direct) await client.zrem(indexOf(key), key.slice(1));
  });

  test('stays where it is on a node that is given the records of the others', async () => {
    const { attempt, bytes } = await store('S', [direct[2]!]);
    const sent = `1S${createToken()}1795000000000`;
    for (const client of direct.slice(0, 2)) await client.set(nodes.place(attempt.key), sent);
    await direct[2]!.del(`${nodes.prefix}:in-sync`);
    await ledger.read(deriveKey(createToken()));
    expect(await nodes.isInSync(nodes.servers[2]!)).toBe(true);
    expect(await storedOn(direct[2]!, attempt)).toBe(bytes);
  });
});

const createAttemptFor = ({ key }: Attempt): Attempt => ({ ...createAttempt(), key });
