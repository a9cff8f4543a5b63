import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packedPackages } from './packed-packages.ts';
import { readManifest } from './published.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));

describe('the published conformance suite, in a project outside of this repository', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-own-ledger-'));

  beforeAll(async () => {
    const { tarballs } = await packedPackages();
    cpSync(join(root, 'fixtures/own-ledger'), folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const ours = ['@sendonce/core', '@sendonce/ledger-tests'].map((name) => tarballs[name]!);
    // The oldest that the peer range allows.
    const vitest = readManifest('packages/ledger-tests').peerDependencies!['vitest']!;
    const oldest = `vitest@${vitest.replace('^', '')}`;
    const args = ['install', '--no-audit', '--no-fund', ...ours, oldest];
    await run('npm', args, { cwd: folder });
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('passes a ledger that was written from the contract alone', async () => {
    const { passed, failed, skipped } = await runSuite('own-ledger.test.js');
    expect({ failed, skipped }).toEqual({ failed: [], skipped: 0 });
    expect(passed).toBeGreaterThan(150);
  });

  test('fails a ledger whose doubts expire, and says in which cases', async () => {
    const { failed } = await runSuite('forgetful-ledger.test.js');
    expect(failed).toContain(
      'a ledger that forgets doubts in doubt two leases of silence after the dispatch are a doubt, which no attempt can claim',
    );
  });

  async function runSuite(file: string) {
    const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
    // The variables of this run of vitest would reach that one.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|SENDONCE_|TEST$)/.test(name)),
    );
    const args = [vitest, 'run', '--reporter=json', file];
    const { stdout } = await run(process.execPath, args, {
      cwd: folder,
      env,
      maxBuffer: 2 ** 26,
    }).catch((error: { stdout: string }) => error);
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Report;
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    return {
      passed: report.numPassedTests,
      skipped: report.numPendingTests,
      failed: results.flatMap(({ status, fullName }) => (status === 'failed' ? [fullName] : [])),
    };
  }
});

interface Report {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}
