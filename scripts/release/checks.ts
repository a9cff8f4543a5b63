import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../published.ts';
import type { Check } from './consumers.ts';
import { expectEqual } from './expect-equal.ts';
import { countEmails, type Project } from './project.ts';

const node = process.execPath;
const functions = 'function '.repeat(10).trim();

/** All entry points by import and by require, and the command. */
export const checkEntryPoints: readonly Check[] = [
  {
    name: 'all entry points work by import',
    async run({ mustRun }) {
      const { stdout } = await mustRun(node, ['esm.mjs']);
      expectEqual(stdout.trim(), `sent duplicate sent it ${functions}`);
    },
  },
  {
    name: 'all entry points work by require, and share the current claim with import',
    async run({ mustRun }) {
      const { stdout } = await mustRun(node, ['cjs.cjs']);
      expectEqual(stdout.trim(), `true duplicate true ${functions}`);
    },
  },
  {
    name: 'the command sendonce answers',
    async run({ run }) {
      const { stdout } = await run('node_modules/.bin/sendonce', ['help', 'resolve']);
      expectEqual(/sendonce resolve <email/.test(stdout), true);
      const { exitCode, stderr } = await run('node_modules/.bin/sendonce', ['status']);
      expectEqual([exitCode, stderr.includes('Where is the ledger')], [2, true]);
    },
  },
];

type Compiler = 'ours' | 'TypeScript 5.9';

/** How a user's project may resolve types, and the compiler that still knows it. */
interface ModuleSystem {
  readonly name: string;
  /** The `type` in the package.json of the project. */
  readonly type: 'module' | 'commonjs';
  readonly module: string;
  readonly resolution: string;
  readonly compiler: Compiler;
  readonly isBundled?: boolean;
}

const moduleSystems: readonly ModuleSystem[] = [
  {
    name: 'nodenext',
    type: 'module',
    module: 'nodenext',
    resolution: 'nodenext',
    compiler: 'ours',
  },
  {
    name: 'nodenext in CommonJS',
    type: 'commonjs',
    module: 'nodenext',
    resolution: 'nodenext',
    compiler: 'ours',
  },
  { name: 'node16', type: 'module', module: 'node16', resolution: 'node16', compiler: 'ours' },
  {
    name: 'bundler',
    type: 'module',
    module: 'esnext',
    resolution: 'bundler',
    compiler: 'ours',
    isBundled: true,
  },
  // TypeScript 7 has dropped it. It knows no `exports`: subpaths are found by `typesVersions`.
  {
    name: 'node10',
    type: 'commonjs',
    module: 'commonjs',
    resolution: 'node10',
    compiler: 'TypeScript 5.9',
  },
];

/** Types in strict projects that check declaration files too. */
export const checkTypes: readonly Check[] = [
  {
    name: 'a strict project type-checks, declaration files included',
    run: async (project) =>
      expectEqual(await typeErrors(project, 'types.ts', 'ours', ['--module', 'nodenext']), []),
  },
  ...moduleSystems.map(({ name, type, module, resolution, compiler }) => ({
    name: `all entry points have their types under ${name}`,
    async run(project: Project) {
      const file = await fileIn(project, type, 'entry-points.ts');
      const options = ['--module', module, '--moduleResolution', resolution];
      expectEqual(await typeErrors(project, file, compiler, options), []);
    },
  })),
  {
    name: 'node16 in CommonJS is refused by the compiler, as the guide says',
    async run(project) {
      const file = await fileIn(project, 'commonjs', 'entry-points.ts');
      const options = ['--module', 'node16', '--moduleResolution', 'node16'];
      const errors = await typeErrors(project, file, 'ours', options);
      expectEqual(errors.length > 0 && errors.every((line) => line.includes('TS1479')), true);
    },
  },
  {
    name: 'an editor goes from a use to the source, by the maps of the types',
    async run({ folder, mustRun }) {
      const { stdout } = await mustRun(node, ['go-to-definition.cjs']);
      expectEqual(
        stdout.trim().replace(folder, '.'),
        './node_modules/@sendonce/bullmq/src/once.ts',
      );
    },
  },
];

/** One email for 32 copies of a job, in each module system. */
export const checkSending: readonly Check[] = [
  {
    name: '32 copies of a job send 32 emails without once(), which the mail server counts',
    run: async (project) => expectEqual(await countEmails(project, [node, 'send.mjs'], 'none'), 32),
  },
  ...['send.mjs', 'send.cjs'].map((file) => ({
    name: `32 copies of a job send one email from ${file}`,
    run: async (project: Project) => expectEqual(await countEmails(project, [node, file]), 1),
  })),
  ...moduleSystems.map((system) => ({
    name: `32 copies of a job send one email from TypeScript under ${system.name}`,
    async run(project: Project) {
      const file = await compile(project, system);
      expectEqual(await countEmails(project, [node, file]), 1);
    },
  })),
];

export const checkDependencies: Check = {
  name: 'the packages have one dependency that is not ours: canonical JSON, in core',
  async run({ mustRun }) {
    const { stdout } = await mustRun('npm', ['ls', '--all', '--json', '--omit=peer']);
    const { dependencies } = JSON.parse(stdout) as {
      dependencies: Record<string, { dependencies?: Record<string, unknown> }>;
    };
    const peers = ['ioredis', 'redlock', 'pg', 'bullmq', 'nodemailer', '@opentelemetry/api'];
    const found = [
      'core',
      'dashboard',
      'redis',
      'postgres',
      'bullmq',
      'mail',
      'otel',
      'providers',
      'redlock',
    ]
      .map((name) => [name, Object.keys(dependencies[`@sendonce/${name}`]?.dependencies ?? {})])
      .map(([name, names]) => [name, (names as string[]).filter((one) => !peers.includes(one))]);
    const core = ['@sendonce/core'];
    expectEqual(Object.fromEntries(found), {
      core: ['canonicalize'],
      dashboard: core,
      redis: core,
      postgres: core,
      bullmq: core,
      mail: core,
      otel: core,
      providers: core,
      redlock: ['@sendonce/core', '@sendonce/redis'],
    });
  },
};

/** A copy of a file in a part of the project that has the type. */
async function fileIn(project: Project, type: string, file: string): Promise<string> {
  await mkdir(join(project.folder, type), { recursive: true });
  await project.write(`${type}/package.json`, { type });
  await project.mustRun('cp', [file, `${type}/${file}`]);
  return `${type}/${file}`;
}

const strict = ['--strict', '--esModuleInterop', '--skipDefaultLibCheck', '--types', 'node'];
const libraries = ['--target', 'es2023', '--lib', 'es2023,dom'];

/**
 * What the compiler says about the file and our own declarations: those of clients are not ours.
 */
async function typeErrors(
  project: Project,
  file: string,
  compiler: Compiler,
  more: readonly string[],
): Promise<string[]> {
  const args = [...strict, ...libraries, '--noEmit', ...more, file];
  const { stdout } = await project.run(node, [compilerPath(project, compiler), ...args]);
  const isOurs = (line: string) => line.startsWith(file) || /sendonce|^error/.test(line);
  return stdout.split('\n').filter(isOurs);
}

/** Compiles `send.ts`, and bundles it where the resolution is a bundler's. */
async function compile(project: Project, system: ModuleSystem): Promise<string> {
  const { name, type, module, resolution, compiler, isBundled } = system;
  const file = await fileIn(project, type, 'send.ts');
  const out = `${type}/${name.replaceAll(' ', '-')}`;
  const modules = ['--module', module, '--moduleResolution', resolution];
  const args = [...strict, ...libraries, ...modules, '--skipLibCheck', '--outDir', out, file];
  await project.mustRun(node, [compilerPath(project, compiler), ...args]);
  if (!isBundled) return `${out}/send.js`;
  const outfile = `${out}/bundle.mjs`;
  await build({
    absWorkingDir: project.folder,
    entryPoints: [`${out}/send.js`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Clients are CommonJS, or read files beside their own.
    external: ['bullmq', 'ioredis', 'nodemailer'],
    logLevel: 'silent',
  });
  return outfile;
}

function compilerPath({ folder }: Project, compiler: Compiler): string {
  return join(compiler === 'ours' ? root : folder, 'node_modules/typescript/bin/tsc');
}
