import { deriveKey, type Journal, type JournalEntry } from '@sendonce/core';
import { createToken, HOUR_MS } from '@sendonce/core/ledger';
import { startRedis, startRedisCluster } from '@sendonce/testkit';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { redisJournal, redisLedger } from '../src/index.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url, { maxRetriesPerRequest: null });
  client.on('error', () => {});
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

let space = 0;
const open = (options = {}) => redisJournal(client, { prefix: `journal-${++space}`, ...options });

const key = () => deriveKey(createToken());

function sentEntries(attempt: Partial<JournalEntry> = {}, atMs = Date.now()): JournalEntry[] {
  const common = {
    key: key(),
    token: createToken(),
    job: { queue: 'notices', id: '17' },
    ...attempt,
  };
  return [
    { ...common, type: 'claimed', atMs },
    { ...common, type: 'dispatched', atMs: atMs + 3 },
    { ...common, type: 'sent', atMs: atMs + 250, messageId: '<a@example.org>' },
  ];
}

async function write(journal: Journal, entries: JournalEntry[]) {
  for (const entry of entries) journal.write(entry);
  await journal.flush();
  return entries as [JournalEntry, ...JournalEntry[]];
}

const linesAt = (prefix: string, email: string) =>
  `${prefix}:{${email[0]}}${email.slice(1)}:journal`;

describe('the Redis journal', () => {
  test('tells the history of an email, of which an attempt that was quick is one line', async () => {
    const journal = open({ prefix: 'lines' });
    const entries = sentEntries({ label: 'order 4711' });
    for (const entry of entries) journal.write(entry);
    await journal.flush();
    const token = entries[0]!.token!.slice(0, 6);
    expect(await journal.history(entries[0]!.key)).toEqual(
      entries.map((entry) => ({ ...entry, token, worker: expect.stringMatching(/.:\d+$/) })),
    );
    const { key } = entries[0]!;
    expect(await client.llen(`lines:{${key[0]}}${key.slice(1)}:journal`)).toBe(1);
  });

  test('keeps the history of a scheduled email until it is due, and for the retention', async () => {
    const retentionMs = 60_000;
    const journal = open({ prefix: 'due', retentionMs });
    const email = key();
    const dueMs = Date.now() + 30 * 24 * HOUR_MS;
    const job = { queue: 'notices', id: '1' };
    const steps = [
      { key: email, type: 'scheduled', atMs: Date.now(), token: 'a', job, dueMs: dueMs - 1 },
      { key: email, type: 'rescheduled', atMs: Date.now() + 1, job, by: 'Ada', dueMs },
    ] as const;
    for (const step of steps) journal.write(step);
    await journal.flush();
    expect(await journal.history(email)).toMatchObject(steps);
    const place = `due:{${email[0]}}${email.slice(1)}:journal`;
    expect((await client.pttl(place)) - (dueMs - Date.now())).toBeGreaterThan(retentionMs - 5_000);
    // No email is due then.
    const line = [1, 2, 'a', 'q', '1', 'b', 'w', '', '', 1e300, 'scheduled', 0];
    await client.rpush(place, JSON.stringify(line));
    const [first] = await journal.history(email);
    expect(first).toMatchObject({ atMs: 2, job: { queue: 'q', id: '1' } });
    expect(first).not.toHaveProperty('dueMs');
  });

  test('puts the steps of several workers in the order of their time', async () => {
    const [one, other] = [open({ prefix: 'order' }), open({ prefix: 'order' })];
    const email = key();
    const at = Date.now();
    other.write({ key: email, type: 'duplicate', atMs: at + 10, token: 'b', worker: 'two:2' });
    await other.flush();
    one.write({ key: email, type: 'sent', atMs: at, token: 'a', worker: 'one:1' });
    await one.flush();
    expect((await one.history(email)).map(({ type, worker }) => [type, worker])).toEqual([
      ['sent', 'one:1'],
      ['duplicate', 'two:2'],
    ]);
  });

  test('finds an email by its label, its Message-ID with or without brackets, and its job', async () => {
    const journal = open();
    const entries = sentEntries({ label: 'order 4711' });
    const second = sentEntries({ label: 'order 4711', job: { queue: 'notices', id: '18' } });
    for (const entry of [...entries, ...second]) journal.write(entry);
    await journal.flush();
    const [first, next] = [entries[0]!.key, second[0]!.key];
    expect((await journal.find('order 4711')).toSorted()).toEqual([first, next].toSorted());
    expect((await journal.find('a@example.org')).toSorted()).toEqual([first, next].toSorted());
    expect(await journal.find('<a@example.org>')).toHaveLength(2);
    expect(await journal.find('notices:17')).toEqual([first]);
    expect(await journal.find('order 4712')).toEqual([]);
  });

  test('counts steps by the hour', async () => {
    const journal = open();
    const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    for (const entry of sentEntries({}, hourMs)) journal.write(entry);
    for (const entry of sentEntries({}, hourMs - HOUR_MS)) journal.write(entry);
    journal.write({ key: key(), type: 'duplicate', atMs: hourMs });
    await journal.flush();
    const once = { claimed: 1, dispatched: 1, sent: 1 };
    expect(await journal.counts(hourMs - 24 * HOUR_MS)).toEqual([
      { hourMs: hourMs - HOUR_MS, counts: once },
      { hourMs, counts: { ...once, duplicate: 1 } },
    ]);
    expect(await journal.counts(hourMs)).toHaveLength(1);
  });

  test('writes no name into a Redis key, and everything expires', async () => {
    const journal = open({ prefix: 'names' });
    for (const entry of sentEntries({ label: 'ada@example.org' })) journal.write(entry);
    await journal.flush();
    const keys = await client.keys('names:*');
    expect(keys.length).toBeGreaterThan(2);
    expect(keys.join()).not.toMatch(/example|notices/);
    const kept = await Promise.all(keys.map((name) => client.pttl(name)));
    expect(Math.min(...kept)).toBeGreaterThan(0);
  });

  test('keeps the last hundred lines of an email that comes back again and again', async () => {
    const journal = open();
    const email = key();
    for (let copy = 0; copy < 150; copy++) {
      journal.write({
        key: email,
        type: 'busy',
        atMs: copy,
        token: createToken(),
        job: { queue: 'q', id: String(copy) },
      });
    }
    await journal.flush();
    const history = await journal.history(email);
    expect(history).toHaveLength(100);
    expect(history[0]!.job).toEqual({ queue: 'q', id: '50' });
  });

  test('shares its prefix with a ledger, whose keys are others', async () => {
    const prefix = 'shared';
    const ledger = redisLedger(client, { prefix });
    const journal = open({ prefix });
    const attempt = { key: key(), token: createToken(), leaseMs: 1000, retentionMs: 60_000 };
    await ledger.claim({ ...attempt, dispatched: true });
    for (const entry of sentEntries(attempt)) journal.write(entry);
    await journal.flush();
    await ledger.settle({ ...attempt, outcome: 'sent' });
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'sent' });
    expect(await journal.history(attempt.key)).toHaveLength(3);
  });

  test('warns once if Redis refuses, and continues afterwards', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const journal = open({ prefix: 'refused' });
    const [entry] = sentEntries();
    await client.set(`refused:{${entry!.key[0]}}${entry!.key.slice(1)}:journal`, 'not a list');
    for (const _ of [1, 2]) {
      journal.write(entry!);
      await journal.flush();
    }
    expect(warned).toHaveBeenCalledOnce();
    expect(String(warned.mock.calls[0]![0])).toMatch(/Emails are sent as usual/);
    warned.mockRestore();
    const [next] = sentEntries();
    journal.write(next!);
    await journal.flush();
    expect(await journal.history(next!.key)).toHaveLength(1);
  });

  test('writes its version first in every line', async () => {
    const journal = open({ prefix: 'version' });
    const [{ key: email }] = await write(journal, sentEntries());
    const [line] = await client.lrange(linesAt('version', email), 0, -1);
    const token = expect.any(String) as string;
    const head = [1, expect.any(Number), token, 'notices', '17'];
    expect((JSON.parse(line!) as unknown[]).slice(0, 5)).toEqual(head);
  });

  test.each([
    // This version would read it as steps if it did not check the version.
    [
      'a newer version',
      JSON.stringify([2, 1_795_000_000_000, 'abc', 'q', '1', '', 'w:1', '', '', '', 'sent', 0]),
    ],
    // As they were before there were versions: time, token, by, worker, label, Message-ID, reason,
    // steps.
    [
      'a version from before lines had one',
      JSON.stringify([1_795_000_000_000, 'abc', 'q:1', 'w:1', '', '', '', 'claimed', 0, 'sent', 9]),
    ],
    ['a version that writes objects', '{"v":2}'],
    ['another program', 'x'],
    ['a version of which only a part is there', '[1]'],
  ])('leaves out a line of %s, keeps the others, and warns once', async (_what, foreign) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const prefix = `foreign-${createToken()}`;
    const journal = open({ prefix });
    const [{ key: email }] = await write(journal, sentEntries());
    const place = linesAt(prefix, email);
    await client.lpush(place, foreign);
    await client.rpush(place, foreign);
    for (const _ of [1, 2]) {
      const steps = (await journal.history(email)).map(({ type }) => type);
      expect(steps).toEqual(['claimed', 'dispatched', 'sent']);
    }
    expect(warned.mock.calls).toEqual([
      [
        expect.stringMatching(/another version .* left out .* Emails are not affected/s),
        { type: 'SendonceWarning', code: 'SENDONCE_JOURNAL' },
      ],
    ]);
    warned.mockRestore();
    // They are still there for the version that can read them.
    expect(await client.lrange(place, 0, -1)).toEqual([foreign, expect.any(String), foreign]);
  });

  test('finds an email by the name of its job, and by no text for people', async () => {
    const journal = open();
    const [{ key: email }] = await write(journal, sentEntries({ by: 'shop:7' }));
    expect(await journal.find('notices:17')).toEqual([email]);
    expect(await journal.find('shop:7')).toEqual([]);
    expect((await journal.history(email))[0]).toMatchObject({
      job: { queue: 'notices', id: '17' },
      by: 'shop:7',
    });
  });

  test('is kept when close() or "await using" has waited, without the interval', async () => {
    const prefix = 'closed';
    const entries = [sentEntries(), sentEntries()] as const;
    {
      await using journal = open({ prefix, intervalMs: HOUR_MS });
      for (const entry of entries[0]) journal.write(entry);
    }
    const other = open({ prefix, intervalMs: HOUR_MS });
    for (const entry of entries[1]) other.write(entry);
    await other.close();
    for (const [{ key: email }] of entries as unknown as [JournalEntry][]) {
      expect(await open({ prefix }).history(email)).toHaveLength(3);
    }
  });

  test('close() gives up after ten seconds if Redis does not answer, with a warning', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    // Its commands wait for a connection that never comes.
    const away = new Redis({ port: 1, lazyConnect: true, maxRetriesPerRequest: null });
    away.on('error', () => {});
    const journal = redisJournal(away, { prefix: 'away' });
    for (const entry of sentEntries()) journal.write(entry);
    await journal.close();
    expect(String(warned.mock.calls[0]?.[0])).toContain('no answer within 10 s of close()');
    warned.mockRestore();
    away.disconnect();
  });

  test('takes a job whose queue and id have colons apart as they were', async () => {
    const journal = open();
    const job = { queue: 'a:b', id: 'c:d' };
    const [{ key: email }] = await write(journal, sentEntries({ job }));
    expect(await journal.find('a:b:c:d')).toEqual([email]);
    expect((await journal.history(email))[0]!.job).toEqual(job);
  });

  test.each([
    ['prefix', { prefix: 'a b' }],
    ['retentionMs', { retentionMs: 0 }],
    ['intervalMs', { intervalMs: -1 }],
  ])('refuses a wrong %s', (option, options) => {
    expect(() => redisJournal(client, options)).toThrow(expect.objectContaining({ option }));
  });
});

test('the journal works on a Cluster', async () => {
  const cluster = await startRedisCluster();
  const nodes = new Cluster(cluster.startupNodes);
  try {
    const journal = redisJournal(nodes);
    const emails = Array.from({ length: 20 }, (_, index) =>
      sentEntries({ label: `order ${index}` }),
    );
    for (const entry of emails.flat()) journal.write(entry);
    await journal.flush();
    for (const [index, entries] of emails.entries()) {
      expect(await journal.find(`order ${index}`)).toEqual([entries[0]!.key]);
      expect(await journal.history(entries[0]!.key)).toHaveLength(3);
    }
    expect((await journal.counts(Date.now() - HOUR_MS)).at(-1)!.counts.sent).toBe(20);
  } finally {
    await nodes.quit();
    await cluster.stop();
  }
}, 60_000);
