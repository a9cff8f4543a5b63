import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { databaseUrl, redisUrl } from '@sendonce/testkit/vitest';

export interface BenchRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

/** Ends what a test that failed has left running. */
export function killRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs the benchmark as `pnpm bench` does, on the servers of this test run. */
export function runBench(...args: readonly string[]): Promise<BenchRun> {
  return runScript('run.ts', ...args);
}

/** Runs a script of the benchmark, on the servers of this test run. */
export async function runScript(name: string, ...args: readonly string[]): Promise<BenchRun> {
  const script = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, REDIS_URL: redisUrl(), DATABASE_URL: databaseUrl() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve));
  running.delete(child);
  return { code, stdout, stderr };
}
