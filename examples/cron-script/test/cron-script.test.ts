import { redisLedger } from '@sendonce/redis';
import { deleteNamespace, freePort, namespace, startSmtpServer } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  blockOf,
  commandIn,
  complaintsIn,
  keysOf,
  readReadme,
  startCommand,
} from '@sendonce/testkit/readme';
import type { Answer } from '../src/answer.ts';
import { keyOf } from '../src/report.ts';
import { runScript } from '../src/run-script.ts';

const day = '2026-01-05';
const recipient = 'ada@example.org';

test('the command of the README: one email a day', { timeout: 60_000 }, async () => {
  const env = { REDIS_URL: redisUrl(), NO_COLOR: '1' };
  const { code, stdout, stderr } = await startCommand(commandIn('cron-script'), env).ended;
  const said = [...stdout.matchAll(/^ +(\d+) {2}\S.*\n {6}(.*)$/gm)].map(([, code, line = '']) => {
    const state = line.startsWith('{')
      ? (JSON.parse(line) as Answer).state
      : /^report of [\d-]+: (sent|duplicate|in doubt)/.exec(line)?.[1];
    return `${code} ${state}`;
  });
  expect(said.slice(0, 2).toSorted()).toEqual(['0 duplicate', '0 sent']);
  expect(said.slice(2)).toEqual(['0 duplicate', '3 in doubt', '3 in-doubt', '0 duplicate']);
  expect(stdout).toContain('emails: Monday 1, Tuesday 1');
  // The two of Monday end in any order.
  const steps = (text: string) => (text.match(/^ +\d+ {2}\S.*$/gm) ?? []).toSorted();
  expect(steps(blockOf(readReadme('cron-script'), 'text'))).toEqual(steps(stdout));
  for (const unwanted of ['operations@', '\u001B']) expect(stdout + stderr).not.toContain(unwanted);
  expect(complaintsIn(stderr)).toEqual([]);
  expect(code).toBe(0);
  expect(await keysOf('cron', redisUrl()), 'keys left behind').toEqual([]);
});

describe('the script', () => {
  let smtp: Awaited<ReturnType<typeof startSmtpServer>>;
  let redis: Redis;
  let prefix: string;
  beforeAll(async () => {
    smtp = await startSmtpServer();
    redis = new Redis(redisUrl());
  });
  beforeEach(() => {
    smtp.received.length = 0;
    smtp.setFault(undefined);
    prefix = namespace('cron-test');
    return async () => void (await deleteNamespace(redisUrl(), prefix));
  });
  afterAll(async () => {
    await smtp.close();
    redis.disconnect();
  });

  async function run(args: string[], url = redisUrl()) {
    const env = { REDIS_URL: url, SMTP_URL: smtp.url, PREFIX: prefix };
    const ended = await runScript(['--day', day, ...args], { ...env, REPORT_TO: recipient });
    expect(ended.said).not.toContain(recipient);
    return ended;
  }

  async function answer(...args: string[]) {
    const { code, said } = await run([...args, '--json']);
    const { state, exitCode } = JSON.parse(said) as Answer;
    expect(exitCode).toBe(code);
    return `${code} ${state}`;
  }

  /** As a machine would that died, or is about to send. */
  async function claimElsewhere(leaseMs: number) {
    const attempt = { key: keyOf(day), token: 'x'.repeat(16), leaseMs, retentionMs: 60_000 };
    expect(await redisLedger(redis, { prefix }).claim(attempt)).toEqual({ state: 'won' });
  }

  test('8 machines at the same minute: one sends, 7 are duplicates', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => answer()));
    expect(answers.toSorted()).toEqual([...Array<string>(7).fill('0 duplicate'), '0 sent']);
    expect(smtp.received).toHaveLength(1);
  });

  test('busy: another machine holds it, and we do not wait', async () => {
    await claimElsewhere(30_000);
    expect(await answer('--wait', '0')).toBe('75 busy');
    expect(smtp.received).toHaveLength(0);
  });

  test('a machine that dies before its dispatch is replaced by one that waits', async () => {
    await claimElsewhere(1_000);
    expect(await answer()).toBe('0 sent');
    expect(smtp.received).toHaveLength(1);
  });

  test('a refusal before the final dot is not sent, shows only its code, and is sent the next time', async () => {
    const text = `550 no such user: ${recipient}`;
    smtp.setFault({ at: 'rcpt', how: '5xx', text });
    const { code, said } = await run([]);
    expect(said).toBe(`report of ${day}: not sent, run it again: the mail server said 550.`);
    expect(code).toBe(1);
    expect(await answer()).toBe('0 sent');
  });

  test('a refusal after the final dot is rejected, and not tried again until it is resolved', async () => {
    smtp.setFault({ at: 'dot-before-accept', how: '5xx' });
    expect(await answer()).toBe('4 rejected');
    expect(await answer()).toBe('4 rejected');
    expect(smtp.received).toHaveLength(0);
    expect(await answer('--resolve', 'not-sent')).toBe('0 sent');
  });

  test('in doubt, and it had not left: resolved as not-sent it is sent, once', async () => {
    smtp.setFault({ at: 'dot-before-accept', how: 'reset' });
    const { code, said } = await run([]);
    expect(said).toMatch(
      /^report of .*: in doubt: dispatched by .*Message-ID <.*--resolve sent or/,
    );
    expect(code).toBe(3);
    expect(smtp.received).toHaveLength(0);
    expect(await answer('--resolve', 'not-sent')).toBe('0 sent');
    expect(await answer()).toBe('0 duplicate');
    expect(smtp.received).toHaveLength(1);
  });

  test('no Redis: not sent', { timeout: 30_000 }, async () => {
    const { code, said } = await run([], `redis://127.0.0.1:${await freePort()}`);
    expect(said).toMatch(
      /^report of .*: not sent, run it again: Redis at .* did not answer .*\.md$/,
    );
    expect(code).toBe(1);
  });

  test('a verdict where there is no doubt sends nothing', async () => {
    expect(await answer('--resolve', 'not-sent')).toBe('2 not-in-doubt');
    expect(smtp.received).toHaveLength(0);
  });

  test.each([['--day', '5.1.2026'], ['--wait', 'long'], ['--resolve', 'perhaps'], ['--colour']])(
    '%s %s: exit code 2, and what is allowed',
    async (...args) => {
      const { code, said } = await run(args);
      expect(said).toMatch(/^(Expected|Unknown)[^]*--resolve sent\|not-sent/);
      expect(code).toBe(2);
    },
  );
});

test.each([
  ['REDIS_URL', 'redis://user:S3CRET@host:port'],
  ['REDIS_URL', 'redis://user:42/S3CRET@host'],
  ['SMTP_URL', 'smtp://user:42/S3CRET@host'],
])('a wrong %s is a wrong command line, and its password is not shown: %s', async (name, url) => {
  const env = {
    REDIS_URL: redisUrl(),
    SMTP_URL: 'smtp://127.0.0.1:1025',
    PREFIX: 'x',
    [name]: url,
  };
  const { code, said } = await runScript(['--day', day], env);
  expect(said).toContain(`${name} must be a URL`);
  expect(said).not.toContain('S3CRET');
  expect(code).toBe(2);
});
