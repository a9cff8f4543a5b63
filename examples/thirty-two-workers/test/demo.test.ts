import { readFile } from 'node:fs/promises';
import { eventually } from '@sendonce/testkit';
import { databaseUrl, redisUrl } from '@sendonce/testkit/vitest';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { checkHtml } from './check-html.ts';
import {
  cells,
  demoKeys,
  demoSchemas,
  figuresIn,
  killRunning,
  runMain,
  startMain,
} from './run-main.ts';

afterAll(killRunning);

describe('the demo, in a separate process', () => {
  afterEach(async () => {
    expect(await demoKeys(redisUrl()), 'keys left behind').toEqual([]);
  });

  test('8 copies: 8 emails without guard and with a lock, 1 with sendonce', async () => {
    const args = ['--json', ...cells('copies', 'none,lock-only,sendonce', 8)];
    const { code, stdout } = await runMain(args, { REDIS_URL: redisUrl() });
    expect(figuresIn(stdout)).toEqual({
      'copies/none': '8',
      'copies/lock-only': '8',
      'copies/sendonce': '1',
    });
    expect(JSON.parse(stdout)).toEqual({
      workers: 8,
      cells: expect.arrayContaining([
        { scenario: 'copies', guard: 'sendonce', wanted: 1, arrived: 1, lost: 0, inDoubt: 0 },
      ]) as unknown,
    });
    expect(code).toBe(0);
  });

  test('on three nodes and on PostgreSQL: 1 email, and no schema is left behind', async () => {
    const schemas = await demoSchemas(databaseUrl());
    const args = [
      '--json',
      ...cells('copies,killed-after,lost-reply', 'sendonce-redlock,sendonce-postgres', 6),
    ];
    const { code, stdout } = await runMain(args, {
      REDIS_URL: redisUrl(),
      DATABASE_URL: databaseUrl(),
    });
    expect(figuresIn(stdout)).toEqual({
      'copies/sendonce-redlock': '1',
      'copies/sendonce-postgres': '1',
      'killed-after/sendonce-redlock': '1, 1 in doubt',
      'killed-after/sendonce-postgres': '1, 1 in doubt',
      'lost-reply/sendonce-redlock': '1',
      'lost-reply/sendonce-postgres': '1',
    });
    expect(code).toBe(0);
    expect(await demoSchemas(databaseUrl())).toEqual(schemas);
  }, 60_000);

  test('under an advisory lock alone, each worker waits its turn and sends', async () => {
    const args = ['--json', ...cells('copies', 'lock-only-postgres', 6)];
    const { stdout } = await runMain(args, {
      REDIS_URL: redisUrl(),
      DATABASE_URL: databaseUrl(),
    });
    expect(figuresIn(stdout)).toEqual({ 'copies/lock-only-postgres': '6' });
  });

  test('an email whose sender died is listed, resolved, and not sent again', async () => {
    const args = cells('killed-after,connection-dies', 'none,sendonce', 3);
    const { code, stdout, report } = await runMain(args, { REDIS_URL: redisUrl() });
    expect(stdout).toContain('The 2 emails in doubt');
    expect(stdout.match(/job retried: completed, 1 email arrived in all/g)).toHaveLength(2);
    expect(stdout).toMatch(/^none +✗ 2 +✗ 2$/m);
    expect(stdout).toMatch(/^sendonce +✓ 1 +✓ 1\n +1 in doubt +1 in doubt$/m);
    // No terminal, no colours.
    expect(stdout).not.toContain('\u001B');
    expect(code).toBe(0);
    checkHtml(report ?? '');
    expect(report).toContain('killed after the email left');
    expect(report).not.toMatch(/\b(src|href)="(?!#)|url\(|@import|<script|<link/);
  });

  test('the first line of results says what sendonce is for, before all other cells', async () => {
    const args = cells('copies', 'none,lock-only,sendonce', 8);
    const { code, stdout, stderr } = await runMain(args, { REDIS_URL: redisUrl() });
    const headline =
      '8 workers, 8 copies of one job: 8 emails without a guard, 1 email with sendonce.';
    expect(stdout).toContain(headline);
    expect(stdout.indexOf(headline)).toBeLessThan(stdout.indexOf('guard  '));
    expect(stderr.indexOf('copies / sendonce')).toBeLessThan(stderr.indexOf('copies / lock-only'));
    // The table keeps its order.
    expect(stdout.indexOf('lock only')).toBeLessThan(stdout.lastIndexOf('\nsendonce'));
    expect(code).toBe(0);
  });

  test('a naive SET NX loses the email where its reply or its worker was lost', async () => {
    // Two cells at a time, of 8 workers each.
    const args = ['--json', ...cells('lost-reply,killed-before', 'naive-forever,sendonce', 16)];
    const { code, stdout } = await runMain(args, { REDIS_URL: redisUrl() });
    expect(figuresIn(stdout)).toEqual({
      'killed-before/naive-forever': '0, 1 lost',
      'killed-before/sendonce': '1',
      'lost-reply/naive-forever': '0, 1 lost',
      'lost-reply/sendonce': '1',
    });
    // The row of sendonce decides.
    expect(code).toBe(0);
  });

  test('Ctrl-C kills all workers and leaves no keys', async () => {
    const { child, stderr, ended } = await startMain(cells('copies,frozen', 'none', 4), {
      REDIS_URL: redisUrl(),
    });
    await eventually(() => expect(stderr()).toContain('1/2'), { timeoutMs: 15_000 });
    const workers = await childrenOf(child.pid ?? 0);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    await eventually(() => expect(workers.filter(isAlive)).toEqual([]));
  });
});

test('a worker process that dies ends the demo, and keeps what was measured', async () => {
  const args = cells('copies', 'none,sendonce,naive-forever', 4);
  const main = await startMain(args, { REDIS_URL: redisUrl() });
  await eventually(() => expect(main.stderr()).toContain('1/3'), { timeoutMs: 60_000 });
  for (const pid of await childrenOf(main.child.pid ?? 0)) process.kill(pid, 'SIGKILL');
  const { code, stdout, report } = await main.ended;
  expect(stdout).toMatch(/The demo failed: .*worker \d/);
  expect(stdout).toMatch(/^none +✗ 4$/m);
  expect(stdout).toMatch(/^sendonce +-$/m);
  expect(stdout).toMatch(/[12] of 3 cells/);
  checkHtml(report ?? '');
  expect(code).toBe(1);
}, 120_000);

test('what is being started is a line each, where no line moves', async () => {
  const args = ['--json', ...cells('copies', 'sendonce-redlock,sendonce-postgres', 9)];
  const { stderr } = await runMain(args, { REDIS_URL: redisUrl() });
  for (const line of [
    /^looking for a Redis/m,
    /^starting 9 worker processes$/m,
    /^8 of 9 worker processes run$/m,
    /^starting two more Redis servers/m,
    /^starting PostgreSQL/m,
    /^cleaning up$/m,
  ]) {
    expect(stderr).toMatch(line);
  }
}, 120_000);

test('--help says what is allowed', async () => {
  const { code, stdout } = await runMain(['--help']);
  expect(code).toBe(0);
  for (const word of ['--scenario', 'lost-reply', '--guard', 'naive-forever', '--workers', '64']) {
    expect(stdout).toContain(word);
  }
});

test('a wrong argument ends with 2 and says what is allowed', async () => {
  const { code, stdout, stderr } = await runMain(['--guard', 'prayer']);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('Unknown --guard "prayer"');
  expect(stderr).toContain(
    'none, lock-only, lock-only-postgres, naive-lease, naive-forever, sendonce',
  );
});

/** Empty where there is no /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
