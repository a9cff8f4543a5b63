import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packedPackages } from './packed-packages.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));

/** How a user's project may resolve types, and the compiler that still knows it. */
const resolutions = [
  { resolution: 'nodenext', module: 'nodenext', compiler: 'ours' },
  { resolution: 'node16', module: 'node16', compiler: 'ours' },
  { resolution: 'bundler', module: 'esnext', compiler: 'ours' },
  // TypeScript 7 has dropped it. It knows no `exports`: subpaths are found by `typesVersions`.
  { resolution: 'node10', module: 'commonjs', compiler: 'TypeScript 5.9' },
] as const;

describe('the packed packages, installed as a user installs them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-smoke-'));
  let files: string[];

  beforeAll(async () => {
    files = Object.values((await packedPackages()).tarballs);
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
      'typescript@5.9.3',
    ];
    await run('npm', ['install', '--no-audit', '--no-fund', ...files, ...clients], { cwd: folder });
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are packed as publint wants it', async () => {
    for (const file of files) {
      const publint = join(root, 'node_modules/publint/src/cli.js');
      const { stdout } = await run(process.execPath, [publint, '--strict', file]);
      expect(stdout).toContain('All good!');
    }
  });

  test('work by import', async () => {
    const { stdout } = await run(process.execPath, ['esm.mjs'], { cwd: folder });
    expect(stdout.trim()).toBe(`sent duplicate sent it ${'function '.repeat(8).trim()}`);
  });

  test('work by require, and share the current claim with import', async () => {
    const { stdout } = await run(process.execPath, ['cjs.cjs'], { cwd: folder });
    expect(stdout.trim()).toBe(`true duplicate true ${'function '.repeat(8).trim()}`);
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

  /**
   * What the compiler says about the file and our own declarations: those of clients are not ours.
   */
  const typeErrors = async (file: string, compiler: 'ours' | 'TypeScript 5.9', more: string[]) => {
    const tsc = join(compiler === 'ours' ? root : folder, 'node_modules/typescript/bin/tsc');
    const options = ['--strict', '--noEmit', '--esModuleInterop', '--skipDefaultLibCheck'];
    const libraries = ['--target', 'es2023', '--lib', 'es2023,dom', '--types', 'node'];
    const args = [tsc, ...options, ...libraries, ...more, file];
    const { stdout } = await run(process.execPath, args, { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    const ours = (line: string) => line.startsWith(file) || /sendonce|^error/.test(line);
    return stdout.split('\n').filter(ours);
  };

  test('type-check in a strict project that checks declaration files too', async () => {
    expect(await typeErrors('types.ts', 'ours', ['--module', 'nodenext'])).toEqual([]);
  });

  test.each(resolutions)(
    'have the types of all entry points under moduleResolution $resolution',
    { timeout: 120_000 },
    async ({ resolution, module, compiler }) => {
      const options = ['--module', module, '--moduleResolution', resolution];
      expect(await typeErrors('entry-points.ts', compiler, options)).toEqual([]);
    },
  );

  test('the packages have one dependency that is not ours: canonical JSON, in core', async () => {
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
