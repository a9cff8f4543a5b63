import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startRedis, startSmtpServer } from '@sendonce/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { packedPackages } from './packed-packages.ts';
import { published, root } from './published.ts';
import { consumers } from './release/consumers.ts';
import type { Context, Project } from './release/project.ts';
import { startRedlockServers } from './release/servers.ts';
import { problemsOf, readTarball } from './release/tarball.ts';

// `pnpm release --dry-run` runs the same checks, and those that take longer.
describe('the packed packages', () => {
  let context: Context;
  const redlock = startRedlockServers(startRedis);

  beforeAll(async () => {
    const packed = await packedPackages();
    const smtp = await startSmtpServer();
    const [redisUrl, databaseUrl] = [inject('redisUrl'), inject('databaseUrl')];
    context = { packed, servers: { redisUrl, databaseUrl, smtp, redlockUrls: redlock.urls } };
  });

  afterAll(async () => {
    await redlock.stop();
    await context?.servers.smtp.close();
  });

  test('are those that are not private', () => {
    expect(Object.keys(context.packed.tarballs)).toHaveLength(published.length);
  });

  test('contain README, LICENSE, code, types with docs, their maps and what those name', async () => {
    for (const [name, file] of Object.entries(context.packed.tarballs)) {
      expect(problemsOf(await readTarball(file)), name).toEqual([]);
    }
  });

  test('are packed as publint wants it', async () => {
    for (const file of Object.values(context.packed.tarballs)) {
      const publint = join(root, 'node_modules/publint/src/cli.js');
      const { stdout } = await promisify(execFile)(process.execPath, [publint, '--strict', file]);
      expect(stdout).toContain('All good!');
    }
  });

  const inTests = consumers.filter((consumer) => consumer.inTests);
  describe.each(inTests.map((consumer) => [consumer.name, consumer] as const))(
    'installed with %s',
    (_name, { install, checks }) => {
      let project: Project;

      beforeAll(async () => {
        project = await install(context);
      });

      afterAll(async () => project?.remove());

      test.each(checks.map(({ name, run }) => [name, run] as const))('%s', async (_title, run) =>
        run(project),
      );
    },
  );
});
