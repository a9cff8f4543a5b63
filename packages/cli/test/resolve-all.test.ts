import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run, type RunOptions } from './run.ts';
import { type Scene, startScene } from './scene.ts';

/** A ledger and a queue of the test, and a folder for the files of killed runs. */
function startAll() {
  const scene = startScene();
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-state-'));
  const connection = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const queue = new Queue('notices', { connection, prefix: `${scene.prefix}:q` });
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
    rmSync(folder, { recursive: true });
  });
  const resolveAll = (words: readonly string[], options: RunOptions = {}) =>
    run(['resolve', '--all', ...words, ...scene.where], {
      columns: 200,
      env: { XDG_STATE_HOME: folder },
      ...options,
    });
  return { ...scene, folder, queue, resolveAll };
}

/** An email in doubt with this note, dispatched now. */
async function doubt(
  { ledger }: Pick<Scene, 'ledger'>,
  order: number,
  { note, queue = 'notices' }: { note?: string | undefined; queue?: string } = { note: '401' },
) {
  const attempt = {
    key: deriveKey(['notice', order]),
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 600_000,
    job: { queue, id: `n-${order}` },
  };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note });
  return attempt;
}

async function ordersInDoubt({ ledger }: Pick<Scene, 'ledger'>): Promise<number[]> {
  const orders: number[] = [];
  for await (const { job } of ledger.list({ state: 'in-doubt' })) orders.push(orderOf(job?.id));
  return orders.toSorted((one, other) => one - other);
}

function orderOf(jobId = ''): number {
  return Number(jobId.slice('n-'.length));
}

describe('sendonce resolve --all', () => {
  test('shows what is chosen, asks for the number, and records the verdict for each', async () => {
    const scene = startAll();
    for (const order of [1, 2, 3]) await doubt(scene, order, { note: '401 invalid key' });
    await doubt(scene, 4, { note: 'ETIMEDOUT' });
    const words = ['--note', '401', '--sent', '--by', 'Ann', '--why', 'ticket 17'];
    const { code, out, err, questions } = await scene.resolveAll(words, { answer: '3' });
    expect([code, out]).toEqual([0, '3 emails resolved as sent.']);
    expect(questions).toEqual(['\nType the number of emails, 3, to record that: ']);
    expect(err).toMatch(/^3 emails in doubt, whose "why" begins with "401"\./);
    expect(err).toMatch(/why +401 invalid key +3\nqueue +notices +3\ndispatched +under 1 h +3\n/);
    expect(err).toMatch(/notices:n-1 +401 invalid key +\S{22}\n/);
    expect(err).toMatch(/Verdict: they were sent, and are not sent again\./);
    expect(await ordersInDoubt(scene)).toEqual([4]);
    const key = deriveKey(['notice', 1]);
    expect(await scene.ledger.read(key)).toMatchObject({ resolvedBy: 'Ann: ticket 17' });
    for (const order of [1, 2, 3]) {
      const last = (await scene.journal.history(deriveKey(['notice', order]))).at(-1);
      expect(last).toMatchObject({ type: 'resolved-sent', by: 'Ann', note: 'ticket 17' });
    }
  });

  test('without a filter the preview says that it is everything', async () => {
    const scene = startAll();
    for (const order of [1, 2]) await doubt(scene, order);
    const { code, err } = await scene.resolveAll(['--sent'], { answer: 'y' });
    expect(code).toBe(1);
    expect(err).toContain('2 emails in doubt: all that there are, because no filter is given.');
    expect(err).toMatch(/Nothing was changed\.$/);
    expect(await ordersInDoubt(scene)).toEqual([1, 2]);
  });

  test.each([
    [
      ['--note', '401'],
      [1, 2],
    ],
    [
      ['--note', '40'],
      [1, 2, 3],
    ],
    [
      ['--note', '403', '--note', 'the sender stopped'],
      [3, 5],
    ],
    [['--in-queue', 'receipts'], [2]],
    [
      ['--in-queue', 'receipts', '--in-queue', 'notices', '--note', '401'],
      [1, 2],
    ],
    [
      ['--since', '1h'],
      [1, 2, 3, 4, 5],
    ],
    [['--until', '1h'], []],
    [
      ['--since', '1 d 12h', '--until', '2099-12-31'],
      [1, 2, 3, 4, 5],
    ],
    [['--until', '2020-01-01T00:00'], []],
  ])('%j chooses %j', async (filter, chosen) => {
    const scene = startAll();
    await doubt(scene, 1, { note: '401' });
    await doubt(scene, 2, { note: '401 unauthorized', queue: 'receipts' });
    await doubt(scene, 3, { note: '403' });
    await doubt(scene, 4, { note: 'ETIMEDOUT' });
    await doubt(scene, 5, { note: undefined });
    const listed = await run(['doubts', '--json', ...filter, ...scene.where]);
    const ids = JSON.parse(listed.out).doubts.map(({ job }: { job: { id: string } }) => job.id);
    expect(ids.map(orderOf).toSorted()).toEqual(chosen);
    const { code } = await scene.resolveAll([...filter, '--sent', '--yes', String(chosen.length)]);
    expect(code).toBe(chosen.length === 0 ? 1 : 0);
    const left = [1, 2, 3, 4, 5].filter((order) => !chosen.includes(order));
    expect(await ordersInDoubt(scene)).toEqual(left);
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no verdict', [], /either --sent .* or --not-sent/],
    ['both verdicts', ['--sent', '--not-sent'], /either/],
    ['no terminal', ['--sent'], /No terminal .* --yes 1998/],
    ['no terminal, with --json', ['--sent', '--json'], /No terminal .* --yes 1998/],
    ['--yes without the number', ['--sent', '--yes'], /--yes needs the number/],
    ['an email beside --all', ['order', '4711', '--sent'], /either --all or one email/],
    ['an email beside --yes', ['order', '--sent', '--yes'], /either --all or one email/],
    ['two numbers', ['--sent', '--yes', '1', '2'], /either --all or one email/],
    ['a number of emails below zero', ['--sent', '--yes', '--', '-1'], /either --all or one email/],
    ['a duration without a unit', ['--since', '2', '--sent'], /Expected --since to be a duration/],
    ['a day that does not exist', ['--since', '2026-02-31', '--sent'], /Expected --since to be/],
    ['an hour that does not exist', ['--until', '2026-02-01T25:00', '--sent'], /Expected --until/],
    ['--since in the future', ['--since', '2099-01-01', '--sent'], /in the past/],
    [
      '--since after --until',
      ['--since', '1h', '--until', '2h', '--sent'],
      /--since .* before --until/,
    ],
    ['an empty note', ['--note', '', '--sent'], /--note has an empty value/],
    ['a note without its text', ['--note', '--sent'], /--note got "--sent" as its value/],
  ])('%s is a wrong command line', async (_, words, message) => {
    const scene = startAll();
    await doubt(scene, 1);
    const { code, out, err } = await scene.resolveAll(words);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    if (words.includes('--json')) expect(JSON.parse(out).error.code).toBe('SENDONCE_USAGE');
    expect(await ordersInDoubt(scene)).toEqual([1]);
  });

  test.each(['--note', '--in-queue', '--since', '--until'])(
    '%s without --all is a wrong command line',
    async (option) => {
      const scene = startAll();
      const { key } = await doubt(scene, 1);
      const argv = ['resolve', key, option, '1h', '--sent', '--yes', ...scene.where];
      const { code, err } = await run(argv);
      expect([code, err]).toEqual([2, expect.stringContaining(`${option} chooses among many`)]);
      expect(await ordersInDoubt(scene)).toEqual([1]);
    },
  );

  test('--yes with another number than there are changes nothing, and says the number', async () => {
    const scene = startAll();
    for (const order of [1, 2]) await doubt(scene, order);
    const { code, err } = await scene.resolveAll(['--sent', '--yes', '3']);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('2 emails in doubt match now, not 3.'),
    ]);
    const { out } = await scene.resolveAll(['--sent', '--yes', '3', '--json']);
    expect(JSON.parse(out)).toEqual({ state: 'count-changed', chosen: 2 });
    expect(await ordersInDoubt(scene)).toEqual([1, 2]);
    const json = await scene.resolveAll(['--sent', '--json', '--yes', '2']);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.out)).toMatchObject({ state: 'resolved', chosen: 2, resolved: 2 });
  });

  test('nothing that matches is exit code 1, and an empty ledger 4', async () => {
    const scene = startAll();
    expect(await scene.resolveAll(['--sent'], { answer: '' })).toMatchObject({ code: 4 });
    await doubt(scene, 1);
    const none = await scene.resolveAll(['--note', '5', '--sent'], { answer: '' });
    expect(none).toMatchObject({ code: 1, err: 'No email in doubt matches.', questions: [] });
  });
});

describe('what happens between the preview and the verdict', () => {
  test('emails that their senders have ended, and new doubts, are not changed', async () => {
    const scene = startAll();
    const attempts = [];
    for (const order of [1, 2, 3, 4]) attempts.push(await doubt(scene, order));
    const [ended, again, decided] = attempts;
    const { code, out, err } = await scene.resolveAll(['--not-sent'], {
      async answer() {
        await scene.ledger.settle({ ...ended!, outcome: 'sent' });
        // In doubt by a later attempt.
        const { key, token } = again!;
        const verdict = { verdict: 'not-sent', by: 'Bob', retentionMs: 60_000 } as const;
        await scene.ledger.resolve({ key, token, ...verdict });
        await doubt(scene, 2);
        await scene.ledger.resolve({ ...decided!, ...verdict, verdict: 'sent' });
        await doubt(scene, 5);
        return '4';
      },
    });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^1 email resolved as not sent\.$/m);
    expect(err).toMatch(
      /^3 emails had another verdict or outcome meanwhile, and were not changed\.$/m,
    );
    expect(await ordersInDoubt(scene)).toEqual([2, 5]);
    expect(await scene.ledger.read(ended!.key)).toMatchObject({ state: 'sent' });
    expect(await scene.ledger.read(decided!.key)).toMatchObject({ resolvedBy: 'Bob' });
  });

  test('an email that its sender knows to be unsent is not resolved as sent', async () => {
    const scene = startAll();
    const attempt = await doubt(scene, 1);
    await scene.ledger.settle({ ...attempt, outcome: 'in-doubt', lateNotSent: true });
    const { code, err } = await scene.resolveAll(['--sent', '--yes', '1']);
    expect(code).toBe(1);
    expect(err).toMatch(/its sender knows that it was not sent/);
    expect(await ordersInDoubt(scene)).toEqual([1]);
  });

  test('a signal stops it, and it says how to continue', async () => {
    const scene = startAll();
    for (let order = 0; order < 200; order += 1) await doubt(scene, order);
    const stop = new AbortController();
    const { code, err } = await scene.resolveAll(['--sent'], {
      stopped: stop.signal,
      async answer() {
        setTimeout(() => stop.abort(), 5);
        return '200';
      },
    });
    expect(code).toBe(1);
    const left = (await ordersInDoubt(scene)).length;
    expect(left).toBeGreaterThan(0);
    expect(err).toContain(
      `Stopped: ${left} emails not reached. Run the same command again for the rest.`,
    );
    const again = await scene.resolveAll(['--sent', '--yes', String(left)]);
    expect([again.code, await ordersInDoubt(scene)]).toEqual([0, []]);
  });
});

describe('--retry', () => {
  /** A job that has failed, as after a doubt. */
  async function failJob({ queue, prefix }: ReturnType<typeof startAll>, order: number) {
    const job = await queue.add('n', { order }, { jobId: `n-${order}` });
    const fail = async () => {
      throw new UnrecoverableError('in doubt');
    };
    const { connection } = queue.opts;
    const worker = new Worker('notices', fail, { connection, prefix: `${prefix}:q` });
    await eventually(async () => expect(await job.getState()).toBe('failed'));
    await worker.close();
  }

  test('failed jobs run again; a waiting job needs none; without a job, a doubt stays', async () => {
    const scene = startAll();
    for (const order of [1, 2, 3]) await doubt(scene, order);
    await doubt(scene, 4, { note: '401', queue: 'gone' });
    await failJob(scene, 1);
    // It waits, such as the job of a replay.
    await scene.queue.add('n', {}, { jobId: 'n-2' });
    const words = ['--not-sent', '--retry', '--yes', '4'];
    const { code, out, err } = await scene.resolveAll(words);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^2 emails resolved as not sent\.\n1 job runs again\.$/m);
    expect(err).toMatch(/^1 email: the job had not failed/m);
    expect(err).toMatch(/^2 emails to look at:$/m);
    expect(err).toMatch(/notices:n-3 +still in doubt: its job is gone or completed/);
    expect(await scene.queue.getJobState('n-1')).toBe('waiting');
    expect(await ordersInDoubt(scene)).toEqual([3, 4]);
    const json = await scene.resolveAll(['--not-sent', '--retry', '--json', '--yes', '2']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      state: 'partly-resolved',
      resolved: 0,
      counts: { 'no-job': 2 },
      problems: [
        { key: deriveKey(['notice', 3]), result: 'no-job' },
        { key: deriveKey(['notice', 4]), job: { queue: 'gone', id: 'n-4' }, result: 'no-job' },
      ],
    });
    expect(readdirSync(join(scene.folder, 'sendonce'))).toEqual([]);
  });

  test('with --sent it completes the failed jobs as duplicates, and needs no job', async () => {
    const scene = startAll();
    for (const order of [1, 2]) await doubt(scene, order);
    await failJob(scene, 1);
    const { code, out } = await scene.resolveAll(['--sent', '--retry', '--yes', '2']);
    expect([code, out]).toEqual([0, '2 emails resolved as sent.\n1 job runs again.']);
  });

  test('a queue that cannot be reached leaves the doubts, and is exit code 3', async () => {
    const scene = startAll();
    for (const order of [1, 2]) await doubt(scene, order);
    const config = join(scene.folder, 'sendonce.config.mjs');
    writeFileSync(
      config,
      `import { Redis } from ${JSON.stringify(import.meta.resolve('ioredis'))};
      import { redisLedger } from ${JSON.stringify(import.meta.resolve('@sendonce/redis'))};
      const client = new Redis(${JSON.stringify(redisUrl())});
      export default {
        ledger: redisLedger(client, { prefix: ${JSON.stringify(scene.prefix)} }),
        queues: [{ name: 'notices', getJob: () => Promise.reject(new Error('ECONNREFUSED')) }],
        close: () => client.disconnect(),
      };`,
    );
    const argv = ['resolve', '--all', '--not-sent', '--retry', '--yes', '2', '--config', config];
    const { code, err } = await run(argv, { env: { XDG_STATE_HOME: scene.folder }, columns: 200 });
    expect(code).toBe(3);
    expect(err).toMatch(/notices:n-1 +its queue did not answer: run the command again/);
    expect(await ordersInDoubt(scene)).toEqual([1, 2]);
  });

  test('without a folder for the file it says so, and works', async () => {
    const scene = startAll();
    await doubt(scene, 1);
    await failJob(scene, 1);
    const { code, err } = await scene.resolveAll(['--not-sent', '--retry', '--yes', '1'], {
      env: { XDG_STATE_HOME: '/dev/null' },
    });
    expect(code).toBe(0);
    expect(err).toMatch(/XDG_STATE_HOME cannot be written \(\w+\)/);
  });
});
