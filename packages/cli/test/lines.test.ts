import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../src/commands/index.ts';
import { wrap } from '../src/wrap.ts';
import { nodeArguments, run, runProcess, widest } from './run.ts';
import { startScene } from './scene.ts';

test.each([[['--help']], ...commands.map(({ name }) => [[name, '--help']])])(
  'the help fits 80 columns, in a pipe and on a terminal: %j',
  async (argv) => {
    const piped = await run(argv);
    expect(widest(piped.out)).toBeLessThanOrEqual(80);
    const wide = await run(argv, { columns: 200 });
    expect(wide.out).toBe(piped.out);
    const narrow = await run(argv, { columns: 50 });
    expect(widest(narrow.out)).toBeLessThanOrEqual(65);
    const words = (text: string) => text.split(/\s+/).join(' ');
    expect(words(narrow.out)).toBe(words(piped.out));
  },
);

test('a line is broken at spaces and continues below its description', () => {
  expect(wrap('  --by <name>   who you are, as a name', { columns: 30 })).toBe(
    '  --by <name>   who you are,\n                as a name',
  );
  expect(wrap('one two three', { columns: 8 })).toBe('one two\nthree');
  expect(wrap('  averyveryverylongword that', { columns: 10 })).toBe(
    '  averyveryverylongword\n  that',
  );
});

test('long lines of all commands fit 80 columns', async () => {
  const scene = startScene();
  await scene.email('in-doubt', 1);
  await scene.email('sent', 2);
  const where = [...scene.where];
  for (const argv of [
    ['status', ...where],
    ['doubts', ...where],
    ['doctor', ...where],
    ['show', 'notice', '9', ...where],
    ['resolve', 'notice', '9', '--sent', ...where],
    ['resolve', 'notice', '2', '--sent', ...where],
    ['resolve', 'notice', '1', '--sent', ...where],
    ['explain'],
    ['stauts'],
    ['status'],
    ['status', '--redis', 'redis://127.0.0.1:1'],
  ]) {
    const { out, err } = await run(argv, { columns: 80 });
    expect([argv[0], widest(out)]).toEqual([argv[0], expect.toSatisfy((width) => width <= 80)]);
    expect([argv[0], widest(err)]).toEqual([argv[0], expect.toSatisfy((width) => width <= 80)]);
  }
});

test.each(['--version', '-v', 'version'])('%s prints the version of the package', async (word) => {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  expect(await run([word])).toMatchObject({ code: 0, out: version, err: '' });
  expect((await run([word, '--json'])).out).toBe(JSON.stringify({ version }));
});

test('--version after a command is the same', async () => {
  expect(await run(['status', '--version'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d/),
  });
});

test('the hint of the doubts is below the table, also where both go into one pipe', async () => {
  const scene = startScene();
  await scene.email('in-doubt', 1);
  const { out, err } = await runProcess(['doubts', ...scene.where]);
  expect(err).toBe('');
  expect(out).toMatch(/order 1 [^]*\n\nFind out [^]*sendonce resolve/);
  // A slow reader gets stdout later than the terminal gets stderr.
  const command = [process.execPath, ...nodeArguments(['doubts', ...scene.where])];
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const shell = spawnSync('bash', ['-c', `(${quoted} | (sleep 2; cat)) 2>&1`], {
    encoding: 'utf8',
  });
  expect(shell.stdout).toMatch(/order 1 [^]*Find out /);
}, 60_000);
