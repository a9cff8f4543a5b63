import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readManifest, root } from '../published.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly permissions?: Record<string, string>;
  readonly steps: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include?: readonly Row[] } };
}

interface Row {
  readonly node: number;
  readonly redis: string;
  readonly postgres: number;
}

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = `${root}.github/workflows/`;
const files = readdirSync(folder);
const read = (file: string) => readFileSync(folder + file, 'utf8');
const workflowOf = (file: string) => parse(read(file)) as Workflow;
const stepsOf = (file: string) =>
  Object.values(workflowOf(file).jobs).flatMap(({ steps }) => steps);

let parser: typeof import('@actions/workflow-parser');
const bundle = mkdtempSync(join(tmpdir(), 'sendonce-workflow-parser-'));

beforeAll(async () => {
  // It imports JSON in a way that Node does not know.
  const outfile = join(bundle, 'parser.mjs');
  const entryPoints = ['@actions/workflow-parser'];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm' });
  parser = (await import(pathToFileURL(outfile).href)) as typeof parser;
});

afterAll(() => rmSync(bundle, { recursive: true, force: true }));

/** What GitHub's own parser, which has the schema of workflows, says against a file. */
async function errorsIn(name: string, content: string): Promise<string[]> {
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = parser;
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const errors = context.errors.getErrors().map(({ message }) => message);
  if (value === undefined) return errors;
  const { errors: more = [] } = await convertWorkflowTemplate(context, value);
  return [...new Set([...errors, ...more.map(({ Message }) => Message)])];
}

test("GitHub's parser finds a step that has no known field", async () => {
  const workflow = 'on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - runs: y\n';
  expect(await errorsIn('broken.yml', workflow)).toContainEqual(
    expect.stringContaining("Unexpected value 'runs'"),
  );
});

describe.each(files)('the workflow %s', (file) => {
  test(`${file} is a workflow for GitHub's own parser`, async () => {
    expect(await errorsIn(file, read(file))).toEqual([]);
  });

  test(`${file} runs only scripts that package.json has`, () => {
    expect(unknownScripts(stepsOf(file), { file })).toEqual([]);
  });

  test(`${file} pins each action by a commit, with its version beside it`, () => {
    const lines = read(file)
      .split('\n')
      .filter((line) => line.includes('uses:'));
    expect(lines.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v[\d.]+$/.test(line))).toEqual(
      [],
    );
  });

  test(`${file} has no secret but the token of its run`, () => {
    expect(read(file)).not.toMatch(/secrets\./);
  });

  test(`${file} may write only where a job says so`, () => {
    const { permissions } = workflowOf(file);
    expect(Object.values(permissions).filter((level) => level !== 'read')).toEqual([]);
  });
});

test('only the jobs that publish may ask for an identity', () => {
  const asking = files.flatMap((file) =>
    Object.entries(workflowOf(file).jobs)
      .filter(([, { permissions = {} }]) => 'id-token' in permissions)
      .map(([job]) => `${file}: ${job}`),
  );
  expect(asking).toEqual(['docs.yml: deploy', 'release.yml: publish']);
});

test('a script that package.json does not have is found', () => {
  const steps = [{ run: 'pnpm tset && pnpm test' }, { run: 'pnpm install\npnpm --silent biuld' }];
  expect(unknownScripts(steps, { file: 'x.yml' })).toEqual(['tset', 'biuld']);
});

test('CI tests all versions of Node, Redis, Valkey and PostgreSQL that are promised', () => {
  const { test: job } = workflowOf('ci.yml').jobs;
  const rows = job!.strategy!.matrix.include!;
  const values = (of: (row: Row) => unknown) =>
    [...new Set(rows.map((row) => String(of(row))))].toSorted((one, other) =>
      one.localeCompare(other),
    );
  expect(values(({ node }) => node)).toEqual(['20', '22', '24']);
  expect(values(({ postgres }) => postgres)).toEqual(['13', '14', '15', '16', '17', '18']);
  expect(values(({ redis }) => redis)).toEqual([
    'redis:6.2',
    'redis:7.4',
    'redis:8',
    'valkey/valkey:8',
    'valkey/valkey:9',
  ]);
});

const ofPnpm = ['install', 'exec'];

/** The names after `pnpm` in the commands that are neither scripts nor pnpm's own. */
function unknownScripts(steps: readonly Step[], { file }: { file: string }): string[] {
  const scripts = readManifest('').scripts!;
  const names = steps.flatMap(({ run = '' }) =>
    [...run.matchAll(/\bpnpm (?:--\S+ )*(\$\{\{ \S+ \}\}|[\w:-]+)/g)].flatMap(([, name = '']) =>
      name === '${{ matrix.script }}' ? scriptsOfMatrix(file) : [name],
    ),
  );
  return names.filter((name) => !ofPnpm.includes(name) && scripts[name] === undefined);
}

function scriptsOfMatrix(file: string): string[] {
  const { jobs } = parse(read(file)) as {
    jobs: Record<string, { strategy?: { matrix: { script?: string[] } } }>;
  };
  return Object.values(jobs).flatMap(({ strategy }) => strategy?.matrix.script ?? []);
}
