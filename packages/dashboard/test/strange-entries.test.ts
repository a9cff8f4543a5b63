import {
  deriveKey,
  type Journal,
  type JournalEntry,
  type Ledger,
  type LedgerRecord,
} from '@sendonce/core';
import { memoryLedger } from '@sendonce/core';
import { expect, onTestFinished, test } from 'vitest';
import { dashboard, type DashboardOptions } from '../src/index.ts';
import { byHeader, doubtfulEmail, startStage } from './stage.ts';

const good = deriveKey(['notice', 7]);
const bad = deriveKey(['notice', 8]);

function collectWarnings(): string[] {
  const warnings: string[] = [];
  const note = (warning: Error & { code?: string }) =>
    void (warning.code === 'SENDONCE_DASHBOARD' && warnings.push(warning.message));
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  return warnings;
}

function asker(options: DashboardOptions) {
  const board = dashboard({ authorize: byHeader, ...options });
  return async (path: string) => {
    const headers = { 'x-user': 'ada' };
    const answered = await board.fetch(new Request(`http://a${path}`, { headers }));
    const location = answered.headers.get('location');
    return { status: answered.status, location, text: await answered.text() };
  };
}

/**
 * Values that a store returns where another program wrote, where a text or a number is expected.
 */
const strange: Readonly<Record<string, unknown>> = {
  'an object': {},
  'an object without toString': { toString: 1, valueOf: 1 },
  'an object without a prototype': Object.create(null),
  markup: { markup: '<script>alert(1)</script>' },
  null: null,
  'a list': [[['<b>']]],
  'a symbol': Symbol('x'),
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  'a number of 20 digits': 1e20,
  'a negative number': -1e300,
  'a bigint': 10n ** 400n,
  'a text': 'abc',
  'a long text': 'x'.repeat(3_000_000),
  'a number in a text': '12',
  nothing: undefined,
  'a function': () => 'x',
};

/** Shows each page, with one good email in doubt beside what is strange. */
async function expectPages(options: DashboardOptions): Promise<void> {
  const ask = asker(options);
  const paths = [
    '/',
    '/?days=7',
    `/email/${good}`,
    `/email/${bad}`,
    '/find?q=order+7',
    '/find?q=x',
  ];
  for (const path of paths) {
    const { status, text } = await ask(path);
    const isUnreadable = path.includes(bad) && text.includes(`The record of ${bad} cannot be read`);
    if (!isUnreadable) expect([path, 200, 303, 404]).toContain(status);
    // Tokens and hashes are random letters.
    const shown = text.replaceAll(/ (value|data-version|href|src|action)="[^"]*"/g, '');
    expect(shown).not.toMatch(/<script>alert|<b>|NaN|undefined|Infinity|\[object/);
    // A store cannot make a page that no browser shows.
    expect(text.length).toBeLessThan(300_000);
  }
  expect((await ask('/')).text).toContain(good);
  expect((await ask(`/email/${good}`)).text).toContain('Was it sent?');
}

test.each(Object.keys(strange))('%s in a journal hides and breaks nothing', async (name) => {
  const warnings = collectWarnings();
  const value = strange[name] as never;
  const ledger = memoryLedger();
  await doubtfulEmail({ ledger, journal: quietJournal }, good);
  await doubtfulEmail({ ledger, journal: quietJournal }, bad);
  const hourMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const entry = { key: bad, type: 'in-doubt', atMs: Date.now() };
  const fields = [
    'type',
    'atMs',
    'token',
    'job',
    'by',
    'worker',
    'label',
    'messageId',
    'note',
    'dueMs',
  ];
  const journal: Journal = {
    ...quietJournal,
    history: async (key) =>
      key === good
        ? []
        : ([
            value,
            ...fields.map((field) => ({ ...entry, [field]: value })),
            { ...entry, job: { queue: value, id: value }, type: 'scheduled', dueMs: value },
            entry,
          ] as readonly JournalEntry[]),
    find: async () => [value, good, bad],
    counts: async () => [
      value,
      { hourMs: value, counts: { sent: 1 } },
      { hourMs, counts: value },
      { hourMs, counts: { sent: value, duplicate: value, 'in-doubt': 3 } },
    ],
  };
  await expectPages({ ledger, journal });
  const { text } = await asker({ ledger, journal })('/');
  // The count beside the strange one is shown.
  expect(text.replace(/\s+/g, ' ')).toMatch(/In doubt<\/dt> <dd> 3/);
  expect(warnings).toEqual([]);
});

test.each(Object.keys(strange))('%s as the answer of a journal hides no doubt', async (name) => {
  const ledger = memoryLedger();
  await doubtfulEmail({ ledger, journal: quietJournal }, good);
  const value = strange[name];
  const journal = { ...quietJournal, history: () => value, find: () => value, counts: () => value };
  await expectPages({ ledger, journal: journal as unknown as Journal });
});

test.each(Object.keys(strange))('%s in a record hides no other email', async (name) => {
  const warnings = collectWarnings();
  const value = strange[name] as never;
  const ledger = memoryLedger();
  await doubtfulEmail({ ledger, journal: quietJournal }, good);
  await doubtfulEmail({ ledger, journal: quietJournal }, bad);
  const fields = [
    'state',
    'token',
    'atMs',
    'job',
    'by',
    'digest',
    'fingerprint',
    'messageId',
    'note',
    'result',
    'resolvedBy',
    'lateNotSent',
  ];
  const broken = (record: LedgerRecord, field: string) => ({ ...record, [field]: value });
  for (const field of fields) {
    const strangeLedger: Ledger = {
      ...ledger,
      read: async (key) => {
        const record = await ledger.read(key);
        return record && key === bad ? broken(record, field) : record;
      },
      async *list(options) {
        yield value;
        yield { ...(await ledger.read(bad))!, key: value };
        for await (const record of ledger.list(options)) {
          yield record.key === bad ? broken(record, field) : record;
        }
      },
    };
    await expectPages({ ledger: strangeLedger });
  }
  expect(warnings).toEqual([]);
});

test('what another program wrote into the Redis of the journal hides and breaks nothing', async () => {
  const warnings = collectWarnings();
  const stage = startStage();
  const { redis, prefix } = stage;
  await doubtfulEmail(stage, good, { label: 'order 7' });
  const hour = Math.floor(Date.now() / 3_600_000);
  const counts = `${prefix}:ledger:{counts}:${hour}`;
  for (const value of ['abc', '-1', '1e309', 'NaN', '9'.repeat(400), '{}']) {
    await redis.hset(counts, 'sent', value, '__proto__', value);
    const ask = asker({ ledger: stage.ledger, journal: stage.journal });
    const { status, text } = await ask('/');
    expect([value, status]).toEqual([value, 200]);
    expect(text).toContain('order 7');
    expect(text).not.toMatch(/> ?(NaN|Infinity)/);
  }
  expect(warnings).toEqual([]);
});

test('an email whose record cannot be read hides no other one that is found', async () => {
  const stage = startStage();
  await doubtfulEmail(stage, good, { label: 'order 7' });
  await doubtfulEmail(stage, bad, { label: 'order 7' });
  await stage.redis.set(`${stage.prefix}:ledger:{${bad[0]}}${bad.slice(1)}`, 'Z from the future');
  const { status, text } = await asker({ ledger: stage.ledger, journal: stage.journal })(
    '/find?q=order+7',
  );
  expect(status).toBe(200);
  expect(text).toContain(`/email/${good}`);
  expect(text).toContain(`The record of ${bad} cannot be read`);
});

test('an email whose record cannot be read is found, and its page says so', async () => {
  const stage = startStage();
  await doubtfulEmail(stage, bad, { label: 'order 8' });
  await stage.redis.set(`${stage.prefix}:ledger:{${bad[0]}}${bad.slice(1)}`, 'Z from the future');
  const ask = asker({ ledger: stage.ledger, journal: stage.journal });
  for (const query of ['order+8', bad]) {
    expect((await ask(`/find?q=${query}`)).location).toBe(`/email/${bad}`);
  }
  expect((await ask(`/email/${bad}`)).text).toContain('cannot be read');
});

const quietJournal: Journal = {
  write: () => {},
  flush: async () => {},
  history: async () => [],
  find: async () => [],
  counts: async () => [],
};
