import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Cell } from '../src/run-cell.ts';

export interface MainRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The HTML page; undefined when none was written. */
  readonly report: string | undefined;
}

export interface StartedMain {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly ended: Promise<MainRun>;
}

const running = new Set<ChildProcess>();

/** Ends what a test that failed has left running. */
export function killRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs the demo as `pnpm demo` does, in a separate process. */
export async function startMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<StartedMain> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-demo-test-'));
  const file = join(folder, 'report.html');
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--report', file, ...args], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  return {
    child,
    stderr: () => stderr,
    ended: ended.then(async (code) => {
      const report = await readFile(file, 'utf8').catch(() => undefined);
      await rm(folder, { recursive: true });
      return { code, stdout, stderr, report };
    }),
  };
}

export async function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MainRun> {
  return (await startMain(args, env)).ended;
}

/** The arguments for some cells. */
export function cells(scenarios: string, guards: string, workers: number): string[] {
  return ['--scenario', scenarios, '--guard', guards, '--workers', String(workers)];
}

/** `32, 1 in doubt` by `scenario/guard`. */
export function figuresIn(stdout: string): Record<string, string> {
  const { cells } = JSON.parse(stdout) as { cells: Cell[] };
  return Object.fromEntries(
    cells.map(({ scenario, guard, arrived, lost, inDoubt }) => {
      const notes = `${lost ? `, ${lost} lost` : ''}${inDoubt ? `, ${inDoubt} in doubt` : ''}`;
      return [`${scenario}/${guard}`, `${arrived}${notes}`];
    }),
  );
}

/** The keys that runs of the demo have left in a Redis. */
export async function demoKeys(url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return await redis.keys('*sendonce-test-demo-*');
  } finally {
    redis.disconnect();
  }
}

/** The schemas of demos in the database. */
export async function demoSchemas(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'sendonce-test-demo-%' ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}
