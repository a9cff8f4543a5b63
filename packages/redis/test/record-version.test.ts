import { deriveKey, type Ledger, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { afterAll, describe, expect, test } from 'vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

const space = openNamespace('record-version');
const { prefix } = space;
const client = space.connect();
const ledger = redisLedger(client, { prefix });
afterAll(() => space.close());

const KEPT_MS = 600_000;

const createAttempt = () => ({
  key: deriveKey(createToken()),
  token: createToken(),
  leaseMs: 60_000,
  retentionMs: KEPT_MS * 10,
});
type Attempt = ReturnType<typeof createAttempt>;

interface Stored {
  readonly attempt: Attempt;
  readonly bytes: string;
  /** In the index of open dispatches. */
  readonly score: string | null;
}

const placeOf = (key: string) => `${prefix}:{${key[0]}}${key.slice(1)}`;
const indexOf = (key: string) => `${prefix}:{${key[0]}}:open`;

// Both have what this version would act on if it did not look at the format.
const formats = [
  {
    format: 'a newer format',
    says: /it has format 2, this version of sendonce reads format 1/,
    encode: (state: string, token: string) => `2${state}${token}1795000000000\nnotices\n17`,
  },
  {
    format: 'no format, as before there were versions',
    says: /it has no format version, this version of sendonce reads format 1/,
    encode: (state: string, token: string) => `${state}${token}1795000000000\n\nnotices:17\n\n\n`,
  },
];

const verbs: Readonly<Record<string, (ledger: Ledger, attempt: Attempt) => Promise<unknown>>> = {
  claim: (one, attempt) => one.claim(attempt),
  'claim with dispatch': (one, attempt) => one.claim({ ...attempt, dispatched: true }),
  dispatch: (one, attempt) => one.dispatch(attempt),
  'settle sent': (one, attempt) => one.settle({ ...attempt, outcome: 'sent' }),
  'settle rejected': (one, attempt) => one.settle({ ...attempt, outcome: 'rejected' }),
  'settle in doubt': (one, attempt) => one.settle({ ...attempt, outcome: 'in-doubt' }),
  'settle via the connection of the queue': async (one, attempt) => {
    const settleVia = await one.settleVia?.(client);
    return settleVia?.({ ...attempt, outcome: 'sent' }).reply;
  },
  release: (one, attempt) => one.release(attempt),
  read: (one, { key }) => one.read(key),
  'resolve sent': (one, attempt) => one.resolve({ ...attempt, verdict: 'sent', by: 'Ada' }),
  'resolve not sent': (one, attempt) => one.resolve({ ...attempt, verdict: 'not-sent', by: 'Ada' }),
  cancel: (one, attempt) => one.cancel(attempt),
};

describe.each(formats)('a record of $format', ({ encode, says }) => {
  /** Writes it as another version would; a dispatched one is in doubt, and in the index. */
  async function store(state: string): Promise<Stored> {
    const attempt = createAttempt();
    const bytes = encode(state, attempt.token);
    await client.set(placeOf(attempt.key), bytes, 'PX', KEPT_MS);
    if (state !== 'D') return { attempt, bytes, score: null };
    await client.zadd(indexOf(attempt.key), 1, attempt.key.slice(1));
    return { attempt, bytes, score: '1' };
  }

  async function expectUntouched({ attempt: { key }, bytes, score }: Stored): Promise<void> {
    expect(await client.get(placeOf(key))).toBe(bytes);
    expect(await client.pttl(placeOf(key))).toBeLessThanOrEqual(KEPT_MS);
    expect(await client.zscore(indexOf(key), key.slice(1))).toBe(score);
  }

  test.each(Object.keys(verbs))('is unreadable to %s, and stays as it is', async (name) => {
    for (const state of ['C', 'D', 'S', 'R', 'X']) {
      const stored = await store(state);
      const { attempt } = stored;
      for (const token of [attempt.token, createToken()]) {
        const answer = verbs[name]!(ledger, { ...attempt, token });
        await expect(answer).rejects.toMatchObject({
          code: 'SENDONCE_UNREADABLE_RECORD',
          key: attempt.key,
          message: expect.toSatisfy(
            (text: string) => says.test(text) && text.includes(`(Redis, ${placeOf(attempt.key)};`),
          ),
        });
        await expectUntouched(stored);
      }
    }
  });

  test('is lost to a heartbeat, stays as it is, and costs no other claim its lease', async () => {
    for (const state of ['C', 'D']) {
      const stored = await store(state);
      const { attempt } = stored;
      const [before, after] = [createAttempt(), createAttempt()];
      for (const other of [before, after]) await ledger.claim({ ...other, leaseMs: 5_000 });
      expect(await ledger.heartbeat([before, attempt, after])).toEqual(['kept', 'lost', 'kept']);
      await expectUntouched(stored);
      expect(await client.pttl(placeOf(after.key))).toBeGreaterThan(5_000);
    }
  });

  test('hides no other record from a list, which throws after them', async () => {
    const own = redisLedger(client, { prefix: `${prefix}-list` });
    const others = Array.from({ length: 3 }, createAttempt);
    for (const other of others) await own.settle({ ...other, outcome: 'in-doubt' });
    const { key, token } = createAttempt();
    const bytes = encode('D', token);
    const place = `${prefix}-list:{${key[0]}}`;
    await client.set(place + key.slice(1), bytes);
    await client.zadd(`${place}:open`, 1, key.slice(1));
    for (const state of ['open', 'in-doubt'] as const) {
      const listed: string[] = [];
      const list = async () => {
        for await (const record of own.list({ state })) listed.push(record.key);
      };
      await expect(list()).rejects.toMatchObject({ code: 'SENDONCE_UNREADABLE_RECORD', key });
      expect(listed).toEqual(expect.arrayContaining(others.map((other) => other.key)));
    }
    expect(await client.get(place + key.slice(1))).toBe(bytes);
    await client.del(place + key.slice(1));
    await client.zrem(`${place}:open`, key.slice(1));
  });

  test.each(['before-processor', 'at-send'] as const)(
    'sends no email, in the mode %s',
    async (dispatch) => {
      const stored = await store('S');
      const { key } = stored.attempt;
      const effect = async () => expect.unreachable();
      await expect(perform(effect, { ledger, key, dispatch })).rejects.toMatchObject({
        code: 'SENDONCE_UNREADABLE_RECORD',
      });
      await expectUntouched(stored);
    },
  );
});

test('a record that is cut off is damaged, and the error says so', async () => {
  const attempt = createAttempt();
  await ledger.claim({ ...attempt, dispatched: true });
  const bytes = (await client.get(placeOf(attempt.key)))!;
  await client.set(placeOf(attempt.key), bytes.slice(0, -1));
  for (const verb of Object.values(verbs)) {
    await expect(verb(ledger, attempt)).rejects.toThrow(/it has format 1, but is damaged/);
  }
  expect(await client.get(placeOf(attempt.key))).toBe(bytes.slice(0, -1));
});

test('the version of every record is its first character, for each verb that writes', async () => {
  const stored = async ({ key }: Attempt) => (await client.get(placeOf(key)))!.slice(0, 2);
  const attempt = createAttempt();
  await ledger.claim(attempt);
  expect(await stored(attempt)).toBe('1C');
  await ledger.dispatch(attempt);
  expect(await stored(attempt)).toBe('1D');
  await ledger.settle({ ...attempt, outcome: 'in-doubt' });
  expect(await stored(attempt)).toBe('1D');
  await ledger.resolve({ ...attempt, verdict: 'sent', by: 'Ada' });
  expect(await stored(attempt)).toBe('1S');
  const [rejected, cancelled] = [createAttempt(), createAttempt()];
  await ledger.settle({ ...rejected, outcome: 'rejected' });
  expect(await stored(rejected)).toBe('1R');
  await ledger.cancel(cancelled);
  expect(await stored(cancelled)).toBe('1X');
});

describe('a doubt that is resolved as sent', () => {
  const job = { queue: 'notices', id: '17' };

  test('keeps all its texts but lateNotSent, and says who resolved it', async () => {
    const attempt = { ...createAttempt(), job, by: 'nightly\nreport', fingerprint: 'f' };
    const texts = { note: 'ETIMEDOUT', messageId: '<a@example.org>' };
    const doubt = { ...attempt, ...texts, outcome: 'in-doubt', lateNotSent: true } as const;
    await ledger.settle(doubt);
    const before = await ledger.read(attempt.key);
    expect(before).toMatchObject({ ...texts, job, state: 'in-doubt', lateNotSent: true });
    await ledger.resolve({ ...attempt, verdict: 'sent', by: 'Ada:\nthe mail log' });
    const { lateNotSent: _, ...kept } = before!;
    const atMs: unknown = expect.any(Number);
    const resolved = { ...kept, state: 'sent', atMs, resolvedBy: 'Ada:\nthe mail log' };
    expect(await ledger.read(attempt.key)).toEqual(resolved);
  });

  test('has no other text where the doubt had none', async () => {
    const attempt = createAttempt();
    await ledger.settle({ ...attempt, outcome: 'in-doubt' });
    await ledger.resolve({ ...attempt, verdict: 'sent', by: 'Ada' });
    const { key, token } = attempt;
    const atMs: unknown = expect.any(Number);
    const record = { key, token, state: 'sent', atMs, resolvedBy: 'Ada' };
    expect(await ledger.read(key)).toEqual(record);
  });
});
