import { spawn, spawnSync } from 'node:child_process';
import { deriveKey, isSendonceError, SendonceError } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../src/terminal.ts';
import { nodeArguments, run, runProcess, widest } from './run.ts';
import { startScene } from './scene.ts';

describe('the command line', () => {
  test.each([
    ['stauts', /^Unknown command 'stauts'\. Did you mean status\?\nSee sendonce --help\.$/],
    ['dobts', /Did you mean doubts\?/],
    ['frobnicate', /^Unknown command 'frobnicate'\.\nSee sendonce --help\.$/],
  ])('an unknown command names the nearest one, or the help: %s', async (word, message) => {
    const { code, err } = await run([word]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test.each([
    [['status', '--pefix', 'x'], "Unknown option '--pefix'. Did you mean --prefix?"],
    [['status', '--pefix=x'], "Unknown option '--pefix'. Did you mean --prefix?"],
    [['resolve', 'x', '--nt-sent'], "Unknown option '--nt-sent'. Did you mean --not-sent?"],
    [['status', 'order'], "Too many arguments for 'status'. Expected 0 arguments but got 1."],
    [['show'], "Missing required argument 'email'."],
    [['resolve', 'x', '--why'], "Option '--why <text>' argument missing."],
    [['status', '--json=1'], 'Option --json takes no value.'],
    [['status', '--help=1'], 'Option --help takes no value.'],
    [['resolve', 'x', '--sent=false'], 'Option --sent takes no value.'],
    [['status', '--sent=false'], "Unknown option '--sent'."],
  ])(
    'a wrong command line says what is wrong, and where its help is: %j',
    async (argv, message) => {
      const { code, out, err } = await run(argv);
      expect([code, err]).toEqual([2, `${message}\nSee sendonce ${argv[0]} --help.`]);
      if (!argv.includes('--json=1')) expect(out).toBe('');
    },
  );

  test.each([[['help', 'stauts']], [['--json']], [['--redis', 'redis://127.0.0.1:1']]])(
    'without a known command it names them all: %j',
    async (argv) => {
      const { code, err } = await run(argv);
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(/^Expected a command: status, show, /),
      ]);
    },
  );

  test('options of the place may come before the command, and -- ends the options', async () => {
    const scene = startScene();
    await scene.email('sent', 1);
    expect((await run([...scene.where, 'show', 'order', '1'])).code).toBe(0);
    const { code, err } = await run(['show', ...scene.where, '--', '--json']);
    expect([code, err]).toEqual([1, expect.stringContaining('No email is known under "--json"')]);
  });

  test('a wrong command line is a sendonce error with its own code', () => {
    const error: unknown = new UsageError('Which email?');
    expect(error).toBeInstanceOf(SendonceError);
    expect(isSendonceError(error, 'SENDONCE_USAGE')).toBe(true);
    expect(error).toMatchObject({ name: 'UsageError', mayHaveLeft: 'no' });
  });

  test('without a command it shows the help, and says that nothing was done', async () => {
    const { code, out } = await run([]);
    expect(code).toBe(2);
    expect(out).toMatch(/status .*doubts .*resolve/s);
    expect(await run(['--help'])).toMatchObject({ code: 0, out });
  });

  test('each command has its help', async () => {
    for (const name of [
      'status',
      'show',
      'doubts',
      'resolve',
      'watch',
      'doctor',
      'explain',
      'demo',
    ]) {
      const { code, out } = await run([name, '--help']);
      expect([name, code]).toEqual([name, 0]);
      expect(out).toMatch(new RegExp(`^Usage: sendonce ${name}`));
      expect((await run(['help', name])).out).toBe(out);
    }
  });

  test('as a process: exit codes, nothing on stdout but the answer, no colours without a terminal', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    const child = await runProcess(['status', ...scene.where]);
    expect(child.code).toBe(1);
    expect(child.out).toMatch(/in doubt {5}1, the oldest for/);
    expect(child.out + child.err).not.toContain('\u001B');
    const usage = await runProcess(['status']);
    expect([usage.code, usage.out]).toEqual([2, '']);
  }, 60_000);
});

describe('a stream that cannot be written', () => {
  /** Runs a line of bash, in which `sendonce` is the command line. */
  const runBash = (line: string) => {
    const words = [process.execPath, ...nodeArguments([])].map((word) => `'${word}'`);
    const script = `sendonce() { ${words.join(' ')} "$@"; }\n${line}`;
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  };

  test.each([
    ['stderr is closed', 'sendonce status nonsense 2>&1 >/dev/null | true', 2, ''],
    [
      'stdout is full',
      'sendonce completion bash >/dev/full',
      3,
      'stdout cannot be written (ENOSPC).\n',
    ],
    ['stderr is full', 'sendonce status nonsense 2>/dev/full', 3, ''],
    ['the reader of stdout has gone', 'sendonce completion bash | true', 0, ''],
  ])(
    '%s: the exit code is not that of a doubt',
    (_what, line, code, err) => {
      const ran = runBash(`${line}\nexit \${PIPESTATUS[0]}`);
      expect([ran.status, ran.stderr]).toEqual([code, err]);
    },
    60_000,
  );

  test('a verdict is recorded, also in the journal', async () => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 1);
    const where = scene.where.map((word) => `'${word}'`).join(' ');
    const ran = runBash(`sendonce resolve --sent --yes ${where} -- '${key}' >/dev/full`);
    expect([ran.status, ran.stderr]).toEqual([3, 'stdout cannot be written (ENOSPC).\n']);
    expect((await scene.ledger.read(key))?.state).toBe('sent');
    expect((await run(['show', key, ...scene.where])).out).toMatch(/resolved-sent/);
  }, 60_000);
});

describe('sendonce status', () => {
  test('counts what was sent, prevented and in doubt, and fits 80 columns', async () => {
    const scene = startScene();
    const { key } = await scene.email('sent', 1);
    await scene.email('in-doubt', 2);
    await scene.email('dispatched', 3);
    for (let copy = 0; copy < 31; copy++) {
      const job = { queue: 'notices', id: String(copy) };
      scene.journal.write({ key, type: 'duplicate', atMs: Date.now(), job });
    }
    await scene.journal.flush();
    const { code, out } = await run(['status', ...scene.where], { columns: 80 });
    expect(code).toBe(1);
    expect(out).toMatch(/sending now {2}1$/m);
    expect(out).toMatch(/in doubt {5}1, the oldest for/);
    expect(out).toMatch(/^ {2}sent +1 +1$/m);
    expect(out).toMatch(/^ {2}duplicates prevented +31 +31$/m);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const json = JSON.parse((await run(['status', '--json', ...scene.where])).out);
    expect(json).toMatchObject({ sending: 1, inDoubt: 1, today: { sent: 1, duplicate: 31 } });
  });
});

describe('sendonce doubts', () => {
  test('lists them oldest first, with label, job and why, in 80 columns', async () => {
    const scene = startScene();
    for (const order of [1, 2]) await scene.email('in-doubt', order);
    const { code, out } = await run(['doubts', ...scene.where], { columns: 80 });
    expect(code).toBe(1);
    expect(out).toMatch(/order 1 .*notices:1 .*ETIMEDOUT .*\n.*order 2 /);
    expect(out).toContain(deriveKey(['notice', 1]));
    expect(widest(out)).toBeLessThanOrEqual(80);
  });
});

describe('sendonce watch', () => {
  test('writes a line when something changes, and ends with Ctrl-C', async () => {
    const scene = startScene();
    const child = spawn(
      process.execPath,
      nodeArguments(['watch', '--every', '0.1', ...scene.where]),
    );
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    const exited = new Promise((resolve) => child.on('exit', resolve));
    onTestFinished(() => void child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    await eventually(() => expect(err).toMatch(/Nothing is known at .*Waiting for the first/s), {
      timeoutMs: 20_000,
    });
    // Zeros would look as if no email had been sent.
    expect(out).toBe('');
    await scene.email('in-doubt', 1);
    await eventually(() => expect(out).toMatch(/^sending 0 {2}in doubt 1 .*in-doubt 1\n$/m));
    child.kill('SIGINT');
    expect(await exited).toBe(0);
  }, 40_000);

  test.each(['0', 'x', '999999'])('--every %s is a wrong command line', async (every) => {
    expect((await run(['watch', '--every', every])).code).toBe(2);
  });
});

describe('sendonce doctor and explain', () => {
  test('the doctor counts the emails with a repeated request of the last 24 hours', async () => {
    const scene = startScene();
    const { key } = await scene.email('sent', 1);
    expect((await run(['doctor', '--json', ...scene.where])).out).not.toContain('"repeated"');
    const atMs = Date.now();
    const entry = { key, type: 'repeated', atMs, note: 'api.example.com' } as const;
    scene.journal.write(entry);
    await scene.journal.flush();
    const { code, out } = await run(['doctor', '--json', ...scene.where]);
    expect(code).toBe(1);
    expect(JSON.parse(out).findings).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        check: 'repeated',
        found: expect.stringContaining('1 email had a second request') as unknown,
      }),
    );
  });

  test('the doctor says what undermines the promise, and where', async () => {
    const scene = startScene();
    const { code, out } = await run(['doctor', ...scene.where]);
    // The Redis of the tests has no append-only file.
    expect(code).toBe(1);
    expect(out).toMatch(/^Redis at .*\n.*warning.*persistence: There is no append-only file/s);
    const json = JSON.parse((await run(['doctor', '--json', ...scene.where])).out);
    expect(json.findings.length).toBeGreaterThan(0);
  });

  test('explain needs no server: the defaults, a file, or stdin', async () => {
    const { out } = await run(['explain']);
    expect(out).toMatch(/at most once per key for 7 days/);
    const input = JSON.stringify({ once: { retentionMs: 60_000 }, job: { attempts: 5 } });
    const own = await run(['explain', '-'], { input });
    expect(own.out).toMatch(/at most once per key for 60 s|for 1 min/);
    expect((await run(['explain', 'none.json'])).code).toBe(2);
    expect((await run(['explain', '-'], { input: '{"once":{"retentionMs":-1}}' })).code).toBe(2);
  });
});

describe('sendonce demo', () => {
  test('32 copies: 32 emails without, one with; and nothing is left behind', async () => {
    const scene = startScene();
    const { code, out } = await run(['demo', '--json', ...scene.where.slice(0, 2)]);
    expect([code, JSON.parse(out)]).toEqual([0, { copies: 32, bare: 32, once: 1 }]);
    expect(await scene.client.keys('sendonce-demo-*')).toEqual([]);
  });
});

describe('shell completion', () => {
  test('completes commands and options in bash', async () => {
    const { out } = await run(['completion', 'bash']);
    const complete = (words: readonly string[]) => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const script = `${out}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _sendonce; echo "\${COMPREPLY[@]}"`;
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim();
    };
    expect(complete(['sendonce', 'do'])).toBe('doubts doctor');
    expect(complete(['sendonce', 'resolve', '--not-'])).toBe('--not-sent');
    expect(complete(['sendonce', 'status', '--redl'])).toBe('--redlock');
  });

  test.each(['zsh', 'fish'])('%s knows each command', async (shell) => {
    const { code, out } = await run(['completion', shell]);
    expect(code).toBe(0);
    for (const name of ['status', 'show', 'doubts', 'resolve', 'watch'])
      expect(out).toContain(name);
  });

  test('of another shell is refused', async () => {
    expect((await run(['completion', 'tcsh'])).code).toBe(2);
  });
});
