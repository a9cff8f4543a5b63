import { expect, test, vi } from 'vitest';
import {
  deriveKey,
  type Journal,
  type JournalEntry,
  type Ledger,
  LedgerUnavailableError,
  memoryLedger,
} from '../../src/index.ts';
import {
  chooseDoubts,
  countDoubts,
  type DoubtFilter,
  type ManyVerdicts,
  type QueueOfJobs,
  resolveEmails,
} from '../../src/inspect/index.ts';
import { createToken } from '../../src/store/index.ts';

const keyOf = (order: number) => deriveKey(['notice', order]);

/** `count` emails in doubt, and what a verdict about them needs. */
async function startDoubts(count: number, notes: readonly string[] = ['401']) {
  const ledger = memoryLedger();
  for (let order = 0; order < count; order += 1) {
    const attempt = {
      key: keyOf(order),
      token: createToken(),
      leaseMs: 1_000,
      retentionMs: 60_000,
      job: { queue: 'notices', id: String(order) },
    };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt', note: notes[order % notes.length] });
  }
  const { doubts } = await chooseDoubts(ledger, {});
  return { ledger, doubts };
}

function queueOf(states: Record<string, string> = {}): QueueOfJobs & { retried: string[] } {
  const retried: string[] = [];
  return {
    name: 'notices',
    retried,
    getJob: async (id) => ({
      getState: async () => states[id] ?? (retried.includes(id) ? 'waiting' : 'failed'),
      retry: async () => void retried.push(id),
    }),
  };
}

const notSent: ManyVerdicts = { verdict: 'not-sent', by: 'Ann' };

test('a filter chooses by the beginning of the cause, the queue and the time', async () => {
  const { ledger } = await startDoubts(6, ['401 invalid', '403', 'ETIMEDOUT']);
  const count = async (filter: DoubtFilter) => (await chooseDoubts(ledger, filter)).doubts.length;
  expect(await count({ causes: ['40'] })).toBe(4);
  expect(await count({ causes: ['401', 'ETIME'] })).toBe(4);
  expect(await count({ queues: ['notices'] })).toBe(6);
  expect(await count({ queues: ['receipts'] })).toBe(0);
  expect(await count({ sinceMs: Date.now() + 1_000 })).toBe(0);
  expect(await count({ untilMs: Date.now(), sinceMs: 0 })).toBe(6);
  expect(await chooseDoubts(ledger, {}, 4)).toMatchObject({ more: true, doubts: { length: 4 } });
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ cause: '401' }, /no option "cause".* Did you mean "causes"/],
  [{ causes: '401' }, /"causes" to be a list of texts/],
  [{ causes: [''] }, /"causes" to be a list of texts/],
  [{ queues: [] }, /"queues" to be a list of texts/],
  [{ sinceMs: Number.NaN }, /"sinceMs" to be milliseconds/],
  [{ sinceMs: 2, untilMs: 1 }, /"sinceMs" to be before "untilMs"/],
])('the wrong filter %j is an error', async (filter, message) => {
  await expect(chooseDoubts(memoryLedger(), filter as DoubtFilter)).rejects.toThrow(message);
});

test('doubts are counted by cause, queue and age, the commonest first', async () => {
  const { doubts } = await startDoubts(5, ['403', '401', '401']);
  expect(countDoubts(doubts, Date.now() + 2 * 60 * 60 * 1000)).toEqual({
    causes: [
      { name: '401', count: 3 },
      { name: '403', count: 2 },
    ],
    queues: [{ name: 'notices', count: 5 }],
    ages: [{ name: '1 to 24 h', count: 5 }],
  });
});

test('not more than 16 emails are under way at once', async () => {
  const { ledger, doubts } = await startDoubts(100);
  let [now, most] = [0, 0];
  const slow: Ledger = {
    ...ledger,
    async read(key) {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
      now -= 1;
      return ledger.read(key);
    },
  };
  const { resolved, notReached } = await resolveEmails({ ledger: slow }, doubts, notSent);
  expect([resolved, notReached, most]).toEqual([100, 0, 16]);
});

test('"not sent" needs a job that can run; "sent" needs none', async () => {
  const { ledger, doubts } = await startDoubts(3);
  const queue = queueOf({ '1': 'completed', '2': 'delayed' });
  const retryIn = () => queue;
  const { counts, problems } = await resolveEmails({ ledger }, doubts, { ...notSent, retryIn });
  expect(counts).toMatchObject({ retried: 1, 'not-failed': 1, 'no-job': 1 });
  expect(problems).toEqual([
    { key: keyOf(1), job: { queue: 'notices', id: '1' }, result: 'no-job' },
  ]);
  expect(queue.retried).toEqual(['0']);
  const { doubts: left } = await chooseDoubts(ledger, {});
  const none = { ...notSent, verdict: 'sent', retryIn: () => undefined } as const;
  expect(await resolveEmails({ ledger }, left, none)).toMatchObject({ resolved: 1, problems: [] });
});

test('a queue that fails or hangs is asked once, and its emails stay in doubt', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { ledger, doubts } = await startDoubts(60);
    let asked = 0;
    const hanging: QueueOfJobs = {
      name: 'notices',
      getJob() {
        asked += 1;
        return new Promise(() => {});
      },
    };
    const running = resolveEmails({ ledger }, doubts, { ...notSent, retryIn: () => hanging });
    await vi.advanceTimersByTimeAsync(5_001);
    const { counts, resolved } = await running;
    expect([counts['queue-unavailable'], resolved, asked]).toEqual([60, 0, 16]);
    expect((await chooseDoubts(ledger, {})).doubts).toHaveLength(60);
  } finally {
    vi.useRealTimers();
  }
});

test('if the ledger does not answer a verdict, it ends, and the job of that email runs again', async () => {
  const { ledger, doubts } = await startDoubts(200);
  let left = 20;
  const away: Ledger = {
    ...ledger,
    async resolve(resolution) {
      // It does what it is asked, and its answer is lost.
      const reply = await ledger.resolve(resolution);
      if ((left -= 1) < 0) throw new LedgerUnavailableError('away');
      return reply;
    },
  };
  const queue = queueOf();
  const many = { ...notSent, retryIn: () => queue };
  const { counts, resolved, notReached, error } = await resolveEmails(
    { ledger: away },
    doubts,
    many,
  );
  expect(error?.code).toBe('SENDONCE_LEDGER_UNAVAILABLE');
  expect(resolved).toBe(20);
  expect(notReached).toBeGreaterThan(100);
  expect(counts.unavailable + resolved + notReached).toBe(200);
  expect(queue.retried).toHaveLength(20 + counts.unavailable);
  const rest = (await chooseDoubts(ledger, {})).doubts;
  expect(rest).toHaveLength(notReached);
  expect(await resolveEmails({ ledger }, doubts, many)).toMatchObject({
    resolved: notReached,
    counts: { changed: 20 + counts.unavailable },
  });
});

test('an email that was resolved as not sent before its job was retried is resumed', async () => {
  const { ledger, doubts } = await startDoubts(2);
  const [first, second] = doubts;
  for (const { key, token } of doubts) {
    await ledger.resolve({ key, token, verdict: 'not-sent', by: 'Bob', retentionMs: 60_000 });
  }
  const queue = queueOf();
  // The journal knows the job where the caller does not.
  const entry = { key: second!.key, type: 'in-doubt', atMs: 0, job: second!.job } as JournalEntry;
  const journal = { write() {}, flush: async () => {}, history: async () => [entry] };
  const sources = { ledger, journal: journal as unknown as Journal };
  const named = [first!, { key: second!.key, token: second!.token }];
  const { counts, resolved } = await resolveEmails(sources, named, {
    ...notSent,
    retryIn: () => queue,
  });
  expect([counts.resumed, resolved]).toEqual([2, 0]);
  expect(queue.retried.toSorted()).toEqual(['0', '1']);
});

test('a stopped run ends after the emails that are under way', async () => {
  const { ledger, doubts } = await startDoubts(100);
  const stop = new AbortController();
  const done: string[] = [];
  const { resolved, notReached } = await resolveEmails({ ledger }, doubts, {
    ...notSent,
    signal: stop.signal,
    onResult({ key }, result) {
      done.push(`${key} ${result}`);
      if (done.length === 20) stop.abort();
    },
  });
  expect(done).toHaveLength(resolved);
  expect(resolved).toBeGreaterThanOrEqual(20);
  expect(resolved).toBeLessThan(20 + 16);
  expect(resolved + notReached).toBe(100);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ verdict: 'maybe' }, /"verdict"/],
  [{ retry: true }, /no option "retry"/],
  [{ retryIn: true }, /"retryIn" to be a function/],
  [{ onResult: 1 }, /"onResult" to be a function/],
  [{ by: 7 }, /"by" to be a string/],
])('the wrong option %j is an error, and nothing is resolved', async (wrong, message) => {
  const { ledger, doubts } = await startDoubts(20);
  const many = { ...notSent, ...wrong } as ManyVerdicts;
  await expect(resolveEmails({ ledger }, doubts, many)).rejects.toThrow(message);
  expect((await chooseDoubts(ledger, {})).doubts).toHaveLength(20);
});
