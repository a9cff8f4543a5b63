/**
 * `pnpm api` writes what each published package exports to `packages/<folder>/generated/`, as
 * declarations without their bodies, so that a change of the public surface is seen in a diff.
 * `pnpm api --check` fails if a report is not what the source says.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from '@microsoft/api-extractor';
import { type EntryPoint, entryPoints } from './entry-points.ts';
import { root } from './repository.ts';

/** The report of an entry point, from the root of the repository. */
export function reportFile({ folder, specifier }: EntryPoint): string {
  return join('packages', folder, 'generated', `${nameOf(specifier)}.api.d.ts`);
}

/** `core-ledger` of `@sendonce/core/ledger`. */
function nameOf(specifier: string): string {
  return specifier.replace('@sendonce/', '').replaceAll('/', '-');
}

/** The reports of all entry points, by their files. */
export function makeReports(): Map<string, string> {
  const points = entryPoints();
  // Inside docs/, whose node_modules has the clients that the packages name in their types.
  const stage = mkdtempSync(join(root, 'docs', '.api-'));
  try {
    emitDeclarations(stage, points);
    return extract(stage, points);
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/**
 * The packages as they are published: each in `packages/`, where it is read, and in
 * `node_modules/`, where the others find it. API Extractor would else show a re-export as a
 * declaration.
 */
function emitDeclarations(stage: string, points: readonly EntryPoint[]): void {
  const folders = [...new Set(points.map(({ folder }) => folder))];
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      rootDir: join(root, 'packages'),
      outDir: join(stage, 'emitted'),
      emitDeclarationOnly: true,
      sourceMap: false,
    },
    include: folders.map((folder) => join(root, 'packages', folder, 'src')),
  };
  const configFile = join(stage, 'tsconfig.emit.json');
  writeFileSync(configFile, JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', configFile], { cwd: root, stdio: 'inherit' });
  for (const folder of folders) {
    const manifest = JSON.parse(
      readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'),
    ) as { name: string; publishConfig: object };
    for (const place of [
      join(stage, 'packages', folder),
      join(stage, 'node_modules', manifest.name),
    ]) {
      cpSync(join(stage, 'emitted', folder, 'src'), join(place, 'dist'), { recursive: true });
      const published = { ...manifest, ...manifest.publishConfig };
      writeFileSync(join(place, 'package.json'), JSON.stringify(published));
    }
  }
}

function extract(stage: string, points: readonly EntryPoint[]): Map<string, string> {
  const entries = points.map((point) => ({ point, config: extractorConfig(stage, point) }));
  const [first, ...others] = entries.map(({ config }) => config);
  const compilerState = CompilerState.create(first!, {
    additionalEntryPoints: others.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath),
  });
  return new Map(
    entries.map(({ point, config }) => {
      const { succeeded } = Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback: (message) => {
          message.handled = message.logLevel !== ExtractorLogLevel.Error;
        },
      });
      if (!succeeded) throw new Error(`API Extractor could not read ${point.specifier}.`);
      return [reportFile(point), declarationsOf(readFileSync(config.reportFilePath, 'utf8'))];
    }),
  );
}

function extractorConfig(
  stage: string,
  { folder, specifier, source }: EntryPoint,
): ExtractorConfig {
  const projectFolder = join(stage, 'packages', folder);
  const entry = source.replace(/^packages\/[^/]+\/src\//, '').replace(/\.ts$/, '.d.ts');
  const reports = join(stage, 'reports');
  mkdirSync(reports, { recursive: true });
  const silent = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
    configObject: {
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, 'dist', entry),
      compiler: {
        overrideTsconfig: {
          extends: join(root, 'tsconfig.base.json'),
          compilerOptions: { noEmit: true },
          files: [join(projectFolder, 'dist', entry)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${nameOf(specifier)}.api.md`,
        reportFolder: reports,
        reportTempFolder: join(stage, 'reports-temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: silent },
        // A type that is used but not exported is seen in the report.
        extractorMessageReporting: {
          default: silent,
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
}

/** The block of code of the report. As Markdown it would be checked as documentation. */
function declarationsOf(report: string): string {
  const code = /^```ts\n([^]*?)^```$/m.exec(report)?.[1];
  if (code === undefined) throw new Error('API Extractor has written a report without code.');
  const declarations = code
    .replace(/\n\/\/ \(No @packageDocumentation [^\n]*\n/, '')
    // A place without the folder of this checkout, and without the line, which other edits move.
    .replaceAll(/^\/\/ .*\/(packages\/\S+\.ts):\d+:\d+ - /gm, '// $1 - ');
  return `// Written by \`pnpm api\`: the public surface of this entry point.\n${declarations}`;
}

/** The committed reports. */
function committed(): string[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const api = join('packages', folder, 'generated');
    return existsSync(join(root, api))
      ? readdirSync(join(root, api)).map((name) => join(api, name))
      : [];
  });
}

/** What `pnpm api` would change, a line each. */
export function outdatedReports(reports: ReadonlyMap<string, string>): string[] {
  const changed = [...reports].flatMap(([file, text]) => {
    if (!existsSync(join(root, file))) return [`${file} is missing.`];
    return readFileSync(join(root, file), 'utf8') === text ? [] : [`${file} is out of date.`];
  });
  const left = committed().filter((file) => !reports.has(file));
  return [...changed, ...left.map((file) => `${file} is of no entry point.`)];
}

function writeReports(reports: ReadonlyMap<string, string>): void {
  for (const file of committed()) rmSync(join(root, file));
  for (const [file, text] of reports) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

if (process.argv[1] === import.meta.filename) {
  const reports = makeReports();
  if (process.argv.includes('--check')) {
    const outdated = outdatedReports(reports);
    for (const line of outdated) console.error(line);
    if (outdated.length > 0) console.error('Run `pnpm api`, and look at the change.');
    process.exitCode = outdated.length > 0 ? 1 : 0;
  } else {
    writeReports(reports);
  }
}
