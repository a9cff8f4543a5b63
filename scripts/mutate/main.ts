/**
 * Changes core in a thousand small ways, one at a time, and runs its tests for each: `pnpm mutate`,
 * or `pnpm mutate packages/core/src/attempt/acquire.ts` for one file. Fails if no test notices a
 * change, unless TypeScript refuses it or the table in docs/decisions/0026-mutants.md says why it
 * changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type Compiler, createCompiler } from './compiler.ts';
import { type Counts, countMutants, readEquivalents, withoutEquivalents } from './report.ts';

const REPORT = 'node_modules/.mutate/report.json';
const DECISION = 'docs/decisions/0026-mutants.md';

await runStryker(process.argv.slice(2));
const equivalents = readEquivalents(await readFile(DECISION, 'utf8'));
const compiler = await createCompiler();
try {
  for (const counts of countMutants(JSON.parse(await readFile(REPORT, 'utf8')))) {
    if ((await judge(counts, compiler)) > 0) process.exitCode = 1;
  }
} finally {
  await compiler[Symbol.asyncDispose]();
}

// Not in package.json: 119 packages that nothing else needs. Version 10 of StrykerJS needs Node 22.
async function runStryker(files: readonly string[]): Promise<void> {
  const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  const packages = [
    '@stryker-mutator/core@9.6.1',
    '@stryker-mutator/vitest-runner@9.6.1',
    `vitest@${devDependencies.vitest}`,
  ].flatMap((name) => ['-p', name]);
  const mutate = files.length > 0 ? ['--mutate', files.join(',')] : [];
  const command = ['stryker', 'run', 'scripts/mutate/stryker.config.mjs', ...mutate];
  const { status, signal } = spawnSync('npx', ['-y', ...packages, ...command], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    throw new Error(`StrykerJS ended with ${signal ?? status}. No mutant was judged.`);
  }
}

/** Prints how the mutants of a file ended, and returns how many survived without an explanation. */
async function judge(
  { file, killed, timedOut, survivors }: Counts,
  { accepts }: Compiler,
): Promise<number> {
  const compiled = [];
  for (const survivor of survivors) {
    if (await accepts(survivor.path, survivor.source)) compiled.push(survivor);
  }
  const unexplained = withoutEquivalents(compiled, equivalents);
  const refused = survivors.length - compiled.length;
  const equivalent = compiled.length - unexplained.length;
  console.log(
    `${file}: ${killed} killed, ${timedOut} timed out, ${refused} do not compile, ` +
      `${equivalent} equivalent, ${unexplained.length} survived`,
  );
  for (const { line, code, becomes } of unexplained) {
    console.log(`  ${file}:${line}\n    - ${code}\n    + ${becomes}`);
  }
  return unexplained.length;
}
