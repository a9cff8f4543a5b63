import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { published, root } from './published.ts';
import { withAddress } from './repository-address.ts';

describe('a copy of the repository', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-metadata-'));
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const change = (file: string, from: string, to: string) =>
    writeFileSync(join(folder, file), read(file).replace(from, to));
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  const filesWith = (text: string) =>
    spawnSync('git', ['grep', '-l', '-F', text], { cwd: folder, encoding: 'utf8' })
      .stdout.split('\n')
      .filter((file) => file !== '');

  beforeAll(() => {
    const list = ['ls-files', '-co', '--exclude-standard', '-z'];
    const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0');
    for (const file of files.filter((name) => name !== '')) {
      // A file that was deleted is listed until that is committed.
      cpSync(join(root, file), join(folder, file), { recursive: true, force: true });
    }
    git('init', '--quiet');
    git('add', '--all');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('passes the check as it is', () => {
    expect(runMetadata('--check')).toMatchObject({ status: 0, stderr: '' });
  });

  test('fails the check if a package has another LICENSE, a relative link or another author', () => {
    change('packages/core/LICENSE', 'MIT', 'M.I.T.');
    change('packages/redis/README.md', '\n\n', '\n\n[away](../core/src/ledger.ts)\n\n');
    change('packages/mail/package.json', 'The sendonce authors', 'A person');
    const { status, stderr } = runMetadata('--check');
    expect(stderr.trim().split('\n')).toEqual([
      'packages/core/LICENSE: run `pnpm metadata`.',
      'packages/mail/package.json: author: run `pnpm metadata`.',
      'packages/redis/README.md: run `pnpm metadata`.',
    ]);
    expect(status).toBe(1);
    expect(runMetadata()).toMatchObject({ status: 0 });
    const address = 'https://github.com/sendonce/sendonce/blob/main/packages/core/src/ledger.ts';
    expect(read('packages/redis/README.md')).toContain(`[away](${address})`);
    expect(runMetadata('--check')).toMatchObject({ status: 0 });
  });

  test('fails the check if a README links a file that does not exist', () => {
    change('packages/otel/README.md', '\n\n', '\n\n[gone](gone.md)\n\n');
    expect(runMetadata().stderr).toBe(
      'packages/otel/README.md: packages/otel/gone.md does not exist.\n',
    );
    change(
      'packages/otel/README.md',
      '(https://github.com/sendonce/sendonce/blob/main/packages/otel/gone.md)',
      '(https://example.org)',
    );
  });

  test('has a new address everywhere after one edit', () => {
    expect(filesWith('github.com/sendonce/sendonce').length).toBeGreaterThan(published.length);
    change('package.json', 'github.com/sendonce/sendonce', 'github.com/acme/emails');
    expect(runMetadata('--check').status).toBe(1);
    expect(runMetadata()).toMatchObject({ status: 0 });
    expect(filesWith('github.com/sendonce/sendonce')).toEqual([]);
    expect(JSON.parse(read('packages/bullmq/package.json'))).toMatchObject({
      homepage: 'https://github.com/acme/emails/tree/main/packages/bullmq#readme',
      bugs: { url: 'https://github.com/acme/emails/issues' },
      repository: { url: 'git+https://github.com/acme/emails.git', directory: 'packages/bullmq' },
    });
    expect(runMetadata('--check')).toMatchObject({ status: 0 });
  });

  function runMetadata(...args: string[]) {
    const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
    const program = ['--import', tsx, join(root, 'scripts/metadata.ts'), ...args];
    return spawnSync(process.execPath, program, { cwd: folder, encoding: 'utf8' });
  }
});

test('an address is replaced in all its forms, and only there', () => {
  const text = [
    'git+https://github.com/a/b.git',
    'https://raw.githubusercontent.com/a/b/main/x.svg',
    'https://a.github.io/b/guide',
    'https://github.com/a/bc',
  ];
  expect(withAddress(text.join(' '), 'https://github.com/a/b', 'https://github.com/c/d')).toBe(
    [
      'git+https://github.com/c/d.git',
      'https://raw.githubusercontent.com/c/d/main/x.svg',
      'https://c.github.io/d/guide',
      'https://github.com/a/bc',
    ].join(' '),
  );
});
