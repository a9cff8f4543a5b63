import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { run, runProcess } from './run.ts';

/** URLs whose passwords have a character that had to be encoded. */
const redisUrls = [
  'redis://user:42/S3CRET@host',
  'redis://user:42?S3CRET@host',
  'redis://user:42#S3CRET@host',
  'redis://user:S3CRET/x@host',
  'redis://:S3CRET@host:port',
  'redis://user:S3CRET@host/name',
  'redis://user:42/S3CRET',
  'rediss://user:42/S3CRET%@host',
  'http://user:S3CRET@host',
  'user:S3CRET@host',
];
const postgresUrls = [
  'postgres://user:42/S3CRET@host/shop',
  'postgres://user:42?S3CRET@host/shop',
  'postgres://user:42#S3CRET@host/shop',
  'postgres://user:S3CRET/x@host/shop',
  'postgres://user:S3CRET@host:port/shop',
  'mysql://user:S3CRET@host/shop',
  'user:S3CRET@host/shop',
];
const twoMore = 'redis://127.0.0.1:1,redis://127.0.0.1:1';

const commandLines: readonly (readonly [name: string, argv: readonly string[]])[] = [
  ...redisUrls.flatMap((url): [string, string[]][] => [
    [`--redis ${url}`, ['status', '--redis', url]],
    [`--redlock ${url}`, ['status', '--redlock', `${url},${twoMore}`]],
    [
      `--redlock with a comma ${url}`,
      ['status', '--redlock', `${twoMore},${url.replace('S3', 'S3,S3')}`],
    ],
    [`demo --redis ${url}`, ['demo', '--redis', url]],
  ]),
  ...postgresUrls.map((url): [string, string[]] => [
    `--postgres ${url}`,
    ['status', '--postgres', url],
  ]),
  ['a URL in the place of a command', ['redis://me:S3CRET@127.0.0.1:1']],
  [
    'a URL in the place of an email',
    ['show', 'postgres://me:S3CRET@127.0.0.1:1/x', '--config', 'none.mjs'],
  ],
  ['a URL under a misspelt option', ['status', '--redsi=redis://me:S3CRET@127.0.0.1:1']],
  ['a URL under an option without a value', ['status', '--json=redis://me:S3CRET@127.0.0.1:1']],
  ['a URL at once after a short option', ['resolve', 'x', '-yredis://me:S3CRET@127.0.0.1:1']],
  ['a text at once after short options', ['resolve', 'x', '-yyS3CRET']],
  ['a text at once after an unknown short option', ['status', '-pS3CRET']],
  ['a URL as a file', ['status', '--config', 'redis://me:S3CRET@127.0.0.1:1']],
  ['a URL as a configuration to explain', ['explain', 'redis://me:S3CRET@127.0.0.1:1']],
  ['a URL as a shell', ['completion', 'redis://me:S3CRET@127.0.0.1:1']],
];

test.each(commandLines)('no error shows a password: %s', async (_name, argv) => {
  const { code, out, err } = await run(argv);
  expect(code).toBe(2);
  expect(out + err).not.toMatch(/S3|CRET/);
  expect(err).not.toBe('');
});

test.each([
  ['redis', 'redis://127.0.0.1:6379/0'],
  ['redlock', 'redis://127.0.0.1:6379/0'],
  ['journal', 'redis://127.0.0.1:6379/0'],
  ['postgres', 'postgres://127.0.0.1:5432/shop'],
])('the example of a URL is shown whole: --%s', async (name, example) => {
  const ledger = name === 'journal' ? ['--postgres', 'postgres://127.0.0.1:1/x'] : [];
  const { code, out, err } = await run(['status', '--json', ...ledger, `--${name}`, 'foo']);
  expect(code).toBe(2);
  expect(err).toContain(`${example}.\nIn a user name`);
  expect(err).toContain('write @ as %40, / as %2F');
  expect((JSON.parse(out) as { error: { message: string } }).error.message).toContain(
    `such as ${example}.\nIn a user name`,
  );
});

test('a wrong journal or queue names its option, and encoding helps', async () => {
  for (const name of ['journal', 'queue'] as const) {
    const argv = ['status', '--postgres', 'postgres://127.0.0.1:1/x', `--${name}`, redisUrls[0]!];
    const { code, err } = await run(argv);
    expect(code).toBe(2);
    expect(err).toContain(`--${name}`);
    expect(err).toContain('%2F');
    expect(err).not.toContain('S3CRET');
  }
  const encoded = await run(['status', '--redis', 'redis://user:42%2FS3CRET@127.0.0.1:1']);
  expect(encoded.code).toBe(3);
  expect(encoded.err).toContain('127.0.0.1:1, database 0');
  expect(encoded.err).not.toContain('S3CRET');
});

const url = 'redis://me:S3CRET@127.0.0.1:1';
const files: readonly (readonly [what: string, name: string, text: string])[] = [
  ['JSON that ends too early', 'sendonce.config.json', `{ "redis": "${url}`],
  ['JSON with a wrong quote', 'sendonce.config.json', `{ "redis": '${url}' }`],
  ['JSON without quotes', 'sendonce.config.json', `S3CRET`],
  ['JSON whose URL is a name', 'sendonce.config.json', `{ "${url}": "redis" }`],
  ['JSON with a wrong URL', 'sendonce.config.json', `{ "redis": "${redisUrls[0]}" }`],
  ['a module with a wrong URL', 'sendonce.config.mjs', `new URL('${redisUrls[4]}')`],
  [
    'a module that throws names and values',
    'sendonce.config.mjs',
    `throw new Error("pass=S3CRET1 token=S3CRET2 auth: 'S3CRET3' REDISCLI_AUTH=S3CRET4 //me:S3CRET5@h")`,
  ],
  [
    'a module that throws a header',
    'sendonce.config.mjs',
    `throw new Error('Authorization: Bearer S3CRET1, or only Bearer S3CRET2')`,
  ],
  ['a module that is not JavaScript', 'sendonce.config.mjs', `const url = '${url}`],
];

test.each(files)(
  'no error shows a password: %s',
  async (_what, name, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'sendonce-cli-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, name), text);
    const { code, out, err } = await runProcess(['status'], { folder });
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(out + err).not.toMatch(/S3CRET|me:/);
    const explained = await run(['explain', '-'], { input: text });
    expect(explained.out + explained.err).not.toMatch(/S3CRET|me:/);
  },
  60_000,
);
