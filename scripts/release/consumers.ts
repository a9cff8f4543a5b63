import { published, readManifest, testedVersions } from '../published.ts';
import { checkDependencies, checkEntryPoints, checkSending, checkTypes } from './checks.ts';
import { type Context, countEmails, makeProject, type Project } from './project.ts';
import { expectEqual } from './expect-equal.ts';

/** How users install the packages, and what must then work. */
export interface Consumer {
  readonly name: string;
  /** Whether the test run has it as well. The others are only in `pnpm release --dry-run`. */
  readonly inTests: boolean;
  readonly install: (context: Context) => Promise<Project>;
  readonly checks: readonly Check[];
}

export interface Check {
  readonly name: string;
  /** @throws if it fails */
  readonly run: (project: Project) => Promise<void>;
}

const versions = testedVersions();
const node = process.execPath;
/** The hooks of the tests have 240 s. */
const installMs = 220_000;
const peers = ['bullmq', 'ioredis', 'nodemailer', 'pg', 'redlock', '@opentelemetry/api'];

function versioned(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const version = versions.get(name);
      if (version === undefined) throw new Error(`No package.json names a version of ${name}.`);
      return [name, version];
    }),
  );
}

/** The version of an older client that is tested: `5.81.5` of `npm:bullmq@5.81.5`. */
function aliased(folder: string, alias: string): string {
  return readManifest(folder).devDependencies![alias]!.replace(/.*@/, '');
}

/** Without the conformance suite, which `own-ledger.test.ts` installs: it brings vitest. */
function tarballsOf({ packed }: Context): Record<string, string> {
  return Object.fromEntries(
    Object.entries(packed.tarballs)
      .filter(([name]) => name !== '@sendonce/ledger-tests')
      .map(([name, file]) => [name, `file:${file}`]),
  );
}

async function installByNpm(
  context: Context,
  fixture: string,
  manifest: { readonly type?: string; readonly dependencies: Record<string, string> },
): Promise<Project> {
  const project = await makeProject(context, fixture);
  const dependencies = { ...tarballsOf(context), ...manifest.dependencies };
  // npm takes an indirect dependency from the registry, even if it has the file of it.
  const overrides = tarballsOf(context);
  await project.write('package.json', { private: true, ...manifest, dependencies, overrides });
  const options = ['--no-audit', '--no-fund', '--prefer-offline'];
  await project.mustRun('npm', ['install', ...options], { timeoutMs: installMs });
  return project;
}

const npm: Consumer = {
  name: 'npm',
  inTests: true,
  install: async (context) =>
    installByNpm(context, 'consumer', {
      type: 'module',
      dependencies: {
        ...versioned(...peers, '@types/node', '@types/pg'),
        // The last major version that knows moduleResolution node10.
        typescript: '5.9.3',
      },
    }),
  checks: [...checkEntryPoints, ...checkTypes, ...checkSending, checkDependencies],
};

const pnpmStrict: Consumer = {
  name: 'pnpm without hoisting',
  inTests: false,
  async install(context) {
    const project = await makeProject(context, 'consumer');
    const overrides = tarballsOf(context);
    const dependencies = { ...overrides, ...versioned(...peers) };
    await project.write('package.json', { private: true, type: 'module', dependencies });
    // JSON is YAML, too.
    const settings = { hoist: false, strictPeerDependencies: true, strictDepBuilds: false };
    await project.write('pnpm-workspace.yaml', { ...settings, overrides });
    await project.mustRun(context.packed.pnpm, ['install', '--prefer-offline'], {
      timeoutMs: installMs,
    });
    return project;
  },
  checks: sends(['send.mjs', 'send.cjs'], (file) => [node, file]),
};

const yarn = ['--yes', '--package', '@yarnpkg/cli-dist@4.18.1', 'yarn'];

const yarnPnp: Consumer = {
  name: "yarn's Plug'n'Play",
  inTests: false,
  async install(context) {
    const project = await makeProject(context, 'consumer');
    const resolutions = tarballsOf(context);
    const dependencies = { ...resolutions, ...versioned(...peers) };
    const manifest = { private: true, type: 'module', dependencies, resolutions };
    await project.write('package.json', manifest);
    await project.write('yarn.lock', '');
    await project.write('.yarnrc.yml', {
      nodeLinker: 'pnp',
      enableTelemetry: false,
      enableScripts: false,
      // In CI, yarn would refuse to write a lock file.
      enableImmutableInstalls: false,
    });
    await project.mustRun('npx', [...yarn, 'install'], { timeoutMs: installMs });
    return project;
  },
  // No require(): Node 20 asks none of yarn's hooks when it loads ESM that way, and finds no
  // package.
  checks: sends(['send.mjs'], (file) => ['npx', ...yarn, 'node', file]),
};

const nestJest: Consumer = {
  name: 'Nest 11 with Jest',
  inTests: false,
  async install(context) {
    const project = await installByNpm(context, 'nest-jest', {
      dependencies: {
        ...versioned(...peers, '@types/node', 'reflect-metadata', 'rxjs'),
        '@nestjs/bullmq': '11.0.5',
        '@nestjs/common': '11.2.10',
        '@nestjs/core': '11.2.10',
        '@nestjs/testing': '11.2.6',
        '@types/jest': '30.0.0',
        // Nest 11 has no BullMQ 6.
        bullmq: aliased('packages/bullmq', 'bullmq5'),
        ioredis: aliased('packages/redis', 'ioredis5'),
        jest: '30.5.2',
        'ts-jest': '29.4.15',
        typescript: '5.9.3',
      },
    });
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      allowJs: true,
      strict: true,
      skipLibCheck: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      types: ['jest', 'node'],
    };
    await project.write('tsconfig.json', { compilerOptions });
    return project;
  },
  checks: sends(['notices.spec.ts'], () => [node, 'node_modules/jest/bin/jest.js']),
};

/**
 * The oldest releases that the peer ranges allow: those of the first major version of each range,
 * of the second, and so on.
 */
const oldestPeers: Consumer[] = Array.from({ length: majorsOf('nodemailer') }, (_, index) => ({
  name: `the oldest allowed clients (major ${index + 1} of each range)`,
  inTests: index === 0,
  install: async (context: Context) =>
    installByNpm(context, 'consumer', { type: 'module', dependencies: floors(index) }),
  checks: (['redis', 'postgres', 'redlock'] as const).map((ledger) => ({
    name: `32 copies of a job send one email with the ledger on ${ledger}`,
    run: async (project: Project) =>
      expectEqual(await countEmails(project, [node, 'send.mjs'], ledger), 1),
  })),
}));

export const consumers: readonly Consumer[] = [npm, pnpmStrict, yarnPnp, nestJest, ...oldestPeers];

function sends(
  files: readonly string[],
  commandOf: (file: string) => [string, ...string[]],
): Check[] {
  return files.map((file) => ({
    name: `32 copies of a job send one email from ${file}`,
    run: async (project) => expectEqual(await countEmails(project, commandOf(file)), 1),
  }));
}

/** The first version of one alternative of each peer range: `5.4.0` of `^5.4.0 || ^6.0.0`. */
function floors(index: number): Record<string, string> {
  return Object.fromEntries(
    [...peerRanges()].map(([name, range]) => {
      const alternatives = range.split(' || ');
      const alternative = alternatives[Math.min(index, alternatives.length - 1)]!;
      return [name, alternative.replace(/^\^/, '')];
    }),
  );
}

function majorsOf(peer: string): number {
  return peerRanges().get(peer)!.split(' || ').length;
}

function peerRanges(): Map<string, string> {
  const manifests = published
    .filter((name) => name !== 'ledger-tests')
    .map((name) => readManifest(`packages/${name}`));
  return new Map(
    manifests.flatMap(({ peerDependencies = {} }) => Object.entries(peerDependencies)),
  );
}
