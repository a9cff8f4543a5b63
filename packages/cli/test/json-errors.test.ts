import { withoutErrorPage } from '@sendonce/core/ledger';
import { expect, test } from 'vitest';
import { hidePasswords } from '../src/terminal.ts';
import { run } from './run.ts';
import { startScene } from './scene.ts';

test.each([
  [['stauts', '--json'], 2, 'SENDONCE_USAGE', "Unknown command 'stauts'"],
  [['status', '--json=1'], 2, 'SENDONCE_USAGE', 'Option --json takes no value.'],
  [['status', '--prefix', '--json'], 2, 'SENDONCE_USAGE', 'Option --prefix got "--json"'],
  [['status', '--json', '--pefix', 'x'], 2, 'SENDONCE_USAGE', '--prefix'],
  [['status', '--json'], 2, 'SENDONCE_USAGE', 'Where is the ledger?'],
  [['status', '--json', '--redis', 'x', '--prefix', 'a b'], 2, 'SENDONCE_USAGE', '--redis'],
  [
    ['doctor', '--json', '--redis', 'redis://127.0.0.1:1'],
    3,
    'SENDONCE_LEDGER_UNAVAILABLE',
    'ECONN',
  ],
  [['explain', 'none.json', '--json'], 2, 'SENDONCE_USAGE', 'none.json'],
])('with --json an error is one object on stdout: %j', async (argv, exitCode, code, message) => {
  const ran = await run(argv, { folder: '/tmp' });
  expect(ran.code).toBe(exitCode);
  const printed = JSON.parse(ran.out) as { error: { code: string; message: string } };
  expect(printed).toEqual({
    error: { code, message: expect.stringContaining(message) as unknown },
  });
  // People read the same on stderr; only the address of its page may be missing there.
  const text = withoutErrorPage(printed.error.message);
  expect(ran.err.replaceAll(/\s+/g, ' ')).toContain(text.replaceAll(/\s+/g, ' '));
});

test('with --json and a record that cannot be read, the one object has the rest and the error', async () => {
  const scene = startScene();
  const { key } = await scene.email('in-doubt', 1);
  await scene.email('in-doubt', 2);
  await scene.client.set(`${scene.prefix}:{${key[0]}}${key.slice(1)}`, 'v2 of another form');
  const error = { code: 'SENDONCE_UNREADABLE_RECORD', message: expect.any(String) as unknown };
  const status = await run(['status', '--json', ...scene.where]);
  expect([status.code, JSON.parse(status.out)]).toMatchObject([3, { inDoubt: 1, error }]);
  const doubts = await run(['doubts', '--json', ...scene.where]);
  expect([doubts.code, JSON.parse(doubts.out)]).toMatchObject([3, { doubts: [{}], error }]);
});

test.each([
  ['redis://me:S3 CRET@host:1 is away', 'redis://…@host:1 is away'],
  ['postgres://me:S3@CRET@host/shop', 'postgres://…@host/shop'],
  ['two: redis://a:S3@x and redis://b:CRET@y', 'two: redis://…@y'],
  ['host=x password=S3CRET user=me', 'host=x password=… user=me'],
  ["host=x password='S3 CRET' user=me", 'host=x password=… user=me'],
  ['PGPASSWORD=S3CRET psql', 'PGPASSWORD=… psql'],
  ['{"password": "S3 CRET", "port": 1}', '{"password": …, "port": 1}'],
  ['apiKey: S3CRET', 'apiKey: …'],
  ['?pwd=S3CRET&x=1', '?pwd=…&x=1'],
  ['-redis://me:S3CRET@host', '-redis://…@host'],
  ['9redis://me:S3CRET@host', '9redis://…@host'],
  ['//me:S3CRET@host:1 and more', '//…@host:1 and more'],
  ['pass=S3CRET token: S3CRET', 'pass=… token: …'],
  ['auth: { user: "me", pass: "S3 CRET" }', 'auth: … user: "me", pass: … }'],
  ['REDISCLI_AUTH=S3CRET redis-cli', 'REDISCLI_AUTH=… redis-cli'],
  ['Authorization: Bearer S3CRET, and more', 'Authorization: …, and more'],
  ['sent with Bearer S3CRET', 'sent with Bearer …'],
  ['WRONGPASS invalid username-password pair', 'WRONGPASS invalid username-password pair'],
  ["SyntaxError: Unexpected token ':'", "SyntaxError: Unexpected token ':'"],
  ['see https://host/a.md // for ada', 'see https://host/a.md // for ada'],
  ['the password was refused', 'the password was refused'],
  ['notices:17 for ada@example.org', 'notices:17 for ada@example.org'],
])('a secret in a text is hidden: %s', (text, shown) => {
  expect(hidePasswords(text)).toBe(shown);
});
