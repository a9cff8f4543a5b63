import { once } from '@sendonce/bullmq';
import { deriveKey, type Ledger } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { type Job, Queue, Worker } from 'bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';
import { type Scene, startScene } from './scene.ts';

async function doubtsOf(ledger: Ledger): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of ledger.list({ state: 'in-doubt' })) keys.push(key);
  return keys;
}

describe('sendonce resolve', () => {
  test.each(['sent', 'not-sent'] as const)('as %s: who and why are recorded', async (verdict) => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 4711);
    const about = ['--by', 'Ann', '--why', 'ticket 17', '--yes'];
    const { code, out } = await run([
      'resolve',
      'order 4711',
      `--${verdict}`,
      ...about,
      ...scene.where,
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Resolved: /);
    expect(await doubtsOf(scene.ledger)).toEqual([]);
    const record = await scene.ledger.read(key);
    if (verdict === 'sent')
      expect(record).toMatchObject({ state: 'sent', resolvedBy: 'Ann: ticket 17' });
    else expect(record).toBeUndefined();
    const history = await scene.journal.history(key);
    expect(history.at(-1)).toMatchObject({
      type: `resolved-${verdict}`,
      by: 'Ann',
      note: 'ticket 17',
    });
  });

  test('asks, shows what is known, and changes nothing without a yes', async () => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 4711);
    const command = ['resolve', 'order 4711', '--sent', ...scene.where];
    const no = await run(command, { answer: 'n' });
    expect(no.code).toBe(1);
    expect(no.questions).toEqual([expect.stringMatching(/It was sent\. Record that\? \[y\/N\]/)]);
    expect(no.err).toContain(key);
    expect(no.err).toMatch(/Nothing was changed/);
    expect(await doubtsOf(scene.ledger)).toEqual([key]);
    expect((await run(command, { answer: 'y' })).code).toBe(0);
    expect(await doubtsOf(scene.ledger)).toEqual([]);
  });

  test.each([
    ['no verdict', [], /either --sent .* or --not-sent/],
    ['both verdicts', ['--sent', '--not-sent'], /either/],
    ['nobody to ask', ['--sent'], /give --yes/],
  ])('%s is a wrong command line', async (_, options, message) => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 1);
    const { code, err } = await run(['resolve', 'notice', '1', ...options, ...scene.where]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(await doubtsOf(scene.ledger)).toEqual([key]);
  });

  test.each(['claimed', 'dispatched', 'sent', 'cancelled'] as const)(
    'one that is %s is not in doubt: it shows the record, and changes nothing',
    async (state) => {
      const scene = startScene();
      const { key } = await scene.email(state, 1);
      const before = await scene.ledger.read(key);
      const { code, err } = await run([
        'resolve',
        'notice',
        '1',
        '--not-sent',
        '--yes',
        ...scene.where,
      ]);
      expect(code).toBe(1);
      expect(err).toMatch(new RegExp(`not in doubt, and nothing was changed. It is ${state}`));
      expect(await scene.ledger.read(key)).toEqual(before);
    },
  );

  test('one that was rejected may be tried again, when its cause is fixed', async () => {
    const scene = startScene();
    const { key } = await scene.email('rejected', 1);
    expect((await run(['resolve', 'notice', '1', '--sent', '--yes', ...scene.where])).code).toBe(1);
    expect(
      (await run(['resolve', 'notice', '1', '--not-sent', '--yes', ...scene.where])).code,
    ).toBe(0);
    expect(await scene.ledger.read(key)).toBeUndefined();
  });

  test('two emails under one label: it asks for the key', async () => {
    const scene = startScene();
    for (const order of [1, 2]) {
      const { key } = await scene.email('in-doubt', order);
      scene.journal.write({ key, type: 'claimed', atMs: 0, label: 'both' });
    }
    await scene.journal.flush();
    const { code, err } = await run(['resolve', 'both', '--sent', '--yes', ...scene.where]);
    expect(code).toBe(2);
    expect(err).toContain(deriveKey(['notice', 1]));
    expect(await doubtsOf(scene.ledger)).toHaveLength(2);
  });
});

describe('a person and a sender that wakes up', () => {
  test('both at once: "sent" is recorded at the end, and a verdict that loses shows it', async () => {
    const scene = startScene();
    const attempt = await scene.email('in-doubt', 1);
    const verdict = run(['resolve', 'notice', '1', '--not-sent', '--yes', ...scene.where]);
    const settled = scene.ledger.settle({ ...attempt, outcome: 'sent' });
    const [{ code, err }, reply] = await Promise.all([verdict, settled]);
    expect(reply).toEqual({ state: 'settled' });
    expect(await scene.ledger.read(attempt.key)).toMatchObject({
      state: 'sent',
      token: attempt.token,
    });
    if (code === 1) expect(err).toMatch(/It is sent, by notices:1/);
  });

  test('the doubt is looked at, the sender settles, the verdict comes too late', async () => {
    const scene = startScene();
    const attempt = await scene.email('in-doubt', 1);
    const { code, err } = await run(['resolve', 'notice', '1', '--not-sent', ...scene.where], {
      async answer() {
        const reply = await scene.ledger.settle({ ...attempt, outcome: 'sent' });
        expect(reply).toEqual({ state: 'settled' });
        return 'y';
      },
    });
    expect(code).toBe(1);
    expect(err).toMatch(/not in doubt, and nothing was changed. It is sent, by notices:1/);
    expect(await scene.ledger.read(attempt.key)).toMatchObject({
      state: 'sent',
      token: attempt.token,
    });
  });

  test('the person is first with "not sent": the sender that did send turns it into fact', async () => {
    const scene = startScene();
    const attempt = await scene.email('in-doubt', 1);
    expect(
      (await run(['resolve', 'notice', '1', '--not-sent', '--yes', ...scene.where])).code,
    ).toBe(0);
    expect(await scene.ledger.settle({ ...attempt, outcome: 'sent' })).toEqual({
      state: 'settled',
    });
    const { out } = await run(['show', 'notice', '1', ...scene.where]);
    expect(out).toMatch(/^sent$/m);
    expect(out).toMatch(/resolved-not-sent/);
  });
});

describe('--retry', () => {
  async function inDoubtJob(scene: Scene) {
    const connection = { ...parts(redisUrl()), maxRetriesPerRequest: null };
    const queue = new Queue('notices', { connection, prefix: `${scene.prefix}:q` });
    const sends: unknown[] = [];
    const processor = async (job: Job) => {
      sends.push(job.id);
      if (sends.length === 1) throw Object.assign(new Error('?'), { code: 'ETIMEDOUT' });
      return 'sent';
    };
    const key = (job: Job) => ['notice', job.data.orderId];
    const { ledger, journal } = scene;
    const worker = new Worker('notices', once(processor, { ledger, journal, key }), {
      connection,
      prefix: `${scene.prefix}:q`,
    });
    onTestFinished(async () => {
      await worker.close();
      await queue.close();
    });
    const job = await queue.add('n', { orderId: 1 });
    const state = () => queue.getJobState(job.id!);
    await eventually(async () => expect(await state()).toBe('failed'));
    return { sends, state };
  }

  test('after "not sent" the job runs again, and sends', async () => {
    const scene = startScene();
    const { sends, state } = await inDoubtJob(scene);
    const { out } = await retryUnsent(scene);
    expect(out).toMatch(/Its job runs again/);
    await eventually(async () => expect(await state()).toBe('completed'));
    expect(sends).toHaveLength(2);
  });

  test('after "sent" the job completes, and stays away from the email', async () => {
    const scene = startScene();
    const { sends, state } = await inDoubtJob(scene);
    await run(['resolve', 'notice', '1', '--sent', '--retry', '--yes', ...scene.where]);
    await eventually(async () => expect(await state()).toBe('completed'));
    expect(sends).toHaveLength(1);
  });

  test('a job that is gone is reported as gone', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    const { code, out } = await retryUnsent(scene);
    expect(code).toBe(0);
    expect(out).toMatch(/Its job is gone/);
  });
});

function retryUnsent({ where }: Scene) {
  return run(['resolve', 'notice', '1', '--not-sent', '--retry', '--yes', ...where]);
}

function parts(url: string) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

test.each([
  [
    ['--why', '--retry'],
    'Option --why got "--retry" as its value. If you mean this text, write --why=--retry.',
  ],
  [
    ['--why', '--redis=redis://me:S3CRET@127.0.0.1:1'],
    'Option --why got a value that begins with "-". If you mean this text, write --why=….',
  ],
  [
    ['--why', '--', 'more'],
    'Option --why got a value that begins with "-". If you mean this text, write --why=….',
  ],
  [['--by', '-y'], 'Option --by got "-y" as its value. If you mean this text, write --by=-y.'],
  [['--by', '-h'], 'Option --by got "-h" as its value. If you mean this text, write --by=-h.'],
  [['--why', ''], 'Option --why has an empty value.'],
  [['--by='], 'Option --by has an empty value.'],
])('an option takes neither the next option nor an empty value: %j', async (words, message) => {
  const scene = startScene();
  const { key } = await scene.email('in-doubt', 1);
  const argv = ['resolve', key, '--not-sent', '--yes', ...scene.where, ...words];
  const { code, out, err } = await run(argv, { columns: 200 });
  expect([code, out, err]).toEqual([2, '', expect.stringContaining(message)]);
  expect(err).not.toContain('S3CRET');
  expect((await scene.ledger.read(key))?.state).toBe('in-doubt');
});

test('the next option is no value, also if commander would have read it first', async () => {
  const scene = startScene();
  const { key } = await scene.email('in-doubt', 1);
  const argv = ['resolve', key, '--why', ...scene.where, '--retry', '--not-sent', '--yes'];
  expect(await run(argv)).toMatchObject({ code: 2, out: '' });
  expect((await scene.ledger.read(key))?.state).toBe('in-doubt');
});

test('a text that begins with a dash is a value after "="', async () => {
  const scene = startScene();
  const { key } = await scene.email('in-doubt', 1);
  const argv = ['resolve', key, '--not-sent', '--yes', '--why=--retry', ...scene.where];
  expect((await run(argv)).code).toBe(0);
  expect((await run(['show', key, ...scene.where])).out).toContain('--retry');
});

test('a key that begins with a dash is no option, wherever it is given', async () => {
  const scene = startScene();
  const key = findDashedKey();
  const token = 't'.repeat(16);
  const doubt = { key, token, leaseMs: 1_000, retentionMs: 60_000, outcome: 'in-doubt' } as const;
  await scene.ledger.settle(doubt);
  const shown = await run(['show', key, ...scene.where]);
  expect(shown.out).toContain('in doubt');
  const { code } = await run(['resolve', key, '--sent', '--yes', ...scene.where]);
  expect(code).toBe(0);
  expect((await scene.ledger.read(key))?.state).toBe('sent');
});

/** Keys are hashes: one in 64 begins with a dash. */
function findDashedKey(): string {
  for (let number = 0; ; number += 1) {
    const key = deriveKey(['dashed', crypto.randomUUID(), number]);
    if (key.startsWith('-')) return key;
  }
}
