import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const packages = [
  'core',
  'redis',
  'redlock',
  'postgres',
  'bullmq',
  'mail',
  'otel',
  'dashboard',
  'cli',
];

describe('the packed packages, installed as a user installs them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-smoke-'));
  const tarballs = join(folder, 'tarballs');

  beforeAll(async () => {
    await run('npx', ['--yes', 'pnpm', 'build'], { cwd: root });
    for (const name of packages) {
      const cwd = join(root, 'packages', name);
      await run('npx', ['--yes', 'pnpm', 'pack', '--pack-destination', tarballs], { cwd });
    }
    const files = readdirSync(tarballs).map((file) => join(tarballs, file));
    cpSync(join(root, 'fixtures/consumer'), folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const clients = [
      '@opentelemetry/api@1.9.1',
      'bullmq@6.7.0',
      'ioredis@6.0.0',
      'nodemailer@10.6.1',
      'pg@8.23.1',
      'redlock@5.0.0-beta.2',
      '@types/node@22.20.5',
      '@types/pg@8.23.1',
    ];
    await run('npm', ['install', '--no-audit', '--no-fund', ...files, ...clients], { cwd: folder });
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are packed as publint wants it', async () => {
    for (const file of readdirSync(tarballs)) {
      const publint = join(root, 'node_modules/publint/src/cli.js');
      const { stdout } = await run(process.execPath, [publint, '--strict', join(tarballs, file)]);
      expect(stdout).toContain('All good!');
    }
  });

  test('work by import', async () => {
    const { stdout } = await run(process.execPath, ['esm.mjs'], { cwd: folder });
    expect(stdout.trim()).toBe(`sent duplicate sent it ${'function '.repeat(6).trim()}`);
  });

  test('work by require, and share the current claim with import', async () => {
    const { stdout } = await run(process.execPath, ['cjs.cjs'], { cwd: folder });
    expect(stdout.trim()).toBe(`true duplicate true ${'function '.repeat(6).trim()}`);
  });

  test('bring the command sendonce', async () => {
    const sendonce = join(folder, 'node_modules/.bin/sendonce');
    const { stdout } = await run(sendonce, ['help', 'resolve'], { cwd: folder });
    expect(stdout).toMatch(/^sendonce resolve <email>/);
    const refused = await run(sendonce, ['status'], { cwd: folder }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Where is the ledger/),
    });
  });

  test('type-check in a strict project that checks declaration files too', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--strict', '--noEmit', '--target', 'es2023', '--lib', 'es2023,dom'];
    const types = ['--module', 'nodenext', '--types', 'node', 'types.ts'];
    const { stdout } = await run(process.execPath, [tsc, ...options, ...types], {
      cwd: folder,
    }).catch((error: { stdout: string }) => error);
    // Only what our own declarations say: those of the clients are not ours to mend.
    expect(stdout.split('\n').filter((line) => /^types|sendonce/.test(line))).toEqual([]);
  });

  test('bring no dependency of their own but the canonical JSON of core', async () => {
    const { stdout } = await run('npm', ['ls', '--all', '--json', '--omit=peer'], { cwd: folder });
    const { dependencies } = JSON.parse(stdout) as {
      dependencies: Record<string, { dependencies?: Record<string, unknown> }>;
    };
    const ours = (name: string) =>
      Object.keys(dependencies[`@sendonce/${name}`]?.dependencies ?? {});
    expect(ours('core')).toEqual(['canonicalize']);
    expect(ours('dashboard')).toEqual(['@sendonce/core']);
    for (const [name, peer] of [
      ['redis', 'ioredis'],
      ['postgres', 'pg'],
      ['bullmq', 'bullmq'],
      ['mail', 'nodemailer'],
      ['otel', '@opentelemetry/api'],
    ]) {
      expect(ours(name!).filter((found) => found !== peer)).toEqual(['@sendonce/core']);
    }
    const peers = ['ioredis', 'redlock'];
    expect(ours('redlock').filter((found) => !peers.includes(found))).toEqual([
      '@sendonce/core',
      '@sendonce/redis',
    ]);
  });
});
