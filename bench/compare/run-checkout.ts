import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProcessorName, SetupName, SystemName } from '../names.ts';
import type { Cell } from '../results.ts';

/** The systems that are compared: sendonce in its two modes. */
export const comparedSystems = ['before-processor', 'at-send'] as const satisfies SystemName[];
export type ComparedSystem = (typeof comparedSystems)[number];

export interface CellRun {
  readonly processor: ProcessorName;
  readonly setup: SetupName;
  readonly jobs: number | undefined;
}

/** A start costs more than a round, and one round of 0.2 s would vary too much. */
const ROUNDS_IN_PROCESS = 3;

/** Jobs per second as a ratio to bare BullMQ in the same process. */
export type Ratios = Readonly<Record<ComparedSystem, number>>;

/**
 * Measures one cell by the benchmark of a checkout, in a new process: the median of three rounds,
 * after one that warms up. Only the command line and the JSON of the benchmark need to be the same
 * in both checkouts.
 * @throws {Error} with the output of a run that failed.
 */
export async function measureCheckout(
  checkout: URL,
  { processor, setup, jobs, redisUrl }: CellRun & { readonly redisUrl: string },
): Promise<Ratios> {
  const named = {
    rounds: String(ROUNDS_IN_PROCESS),
    processors: processor,
    setups: setup,
    systems: comparedSystems.join(),
    ...(jobs !== undefined && { jobs: String(jobs) }),
  };
  const options = Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]);
  const output = await runBench(checkout, redisUrl, ['throughput', '--json', ...options]);
  const { cells } = JSON.parse(output) as { readonly cells: readonly Cell[] };
  const ratioOf = (system: ComparedSystem): number => {
    const cell = cells.find((one) => one.system === system);
    if (!cell) throw new Error(`${checkout.pathname} measured no ${system}: ${output}`);
    return cell.ratio;
  };
  return { 'before-processor': ratioOf('before-processor'), 'at-send': ratioOf('at-send') };
}

/** Resolves with what the benchmark printed on stdout. */
async function runBench(checkout: URL, redisUrl: string, args: readonly string[]): Promise<string> {
  // From the folder of the checkout, so that Node finds that checkout's tsx.
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
    cwd: fileURLToPath(checkout),
    env: { ...process.env, REDIS_URL: redisUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill();
  process.once('exit', kill);
  const { code, stdout, stderr } = await outputOf(child);
  process.off('exit', kill);
  if (code === 0) return stdout;
  throw new Error(`The benchmark of ${checkout.pathname} ended with ${code}:\n${stderr}`);
}

async function outputOf(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  return { code, stdout, stderr };
}
