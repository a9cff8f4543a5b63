import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('protocol.pml', import.meta.url));

const record = fileURLToPath(new URL('searched.json', import.meta.url));

/** What is checked: the protocol, or the protocol with one rule left out. */
export interface Check {
  readonly name: string;
  /** `-D` of each: see protocol.pml. */
  readonly defines: readonly string[];
  /** The property that must break; missing where none may. */
  readonly breaks?: string;
  /** The shortest way there is long: only searched for where it is shown. */
  readonly deep?: true;
}

export const checks: readonly Check[] = [
  { name: 'the protocol', defines: [] },
  { name: 'the protocol, with a provider that knows the key', defines: ['REPLAY'] },
  mutant('NO_DISPATCH', 'CANCELLED_IS_KEPT'),
  mutant('CLAIM_FORGETS_TOKEN', 'NOT_TURNED_AWAY'),
  mutant('RELEASE_WITHOUT_PROOF', 'ON_RECORD'),
  mutant('TTL_ON_DISPATCHED', 'ON_RECORD'),
  mutant('LOCK_ONLY', 'ON_RECORD'),
  deep(mutant('RELEASE_AFTER_SILENCE', 'NOT_LOST')),
  deep(mutant('RELEASE_FORGETS_DOUBT', 'NOT_LOST')),
  mutant('DOUBT_OVER_CANCELLATION', 'CANCELLED_STAYS'),
  mutant('SKIP_OVER_CANCELLATION', 'CANCELLED_STAYS'),
  mutant('SKIP_BLOCKS', 'SKIP_BLOCKS_NOTHING'),
  mutant('RETURN_IS_SENT', 'CANCELLED_STAYS'),
  mutant('NO_CONFIRMATION', 'CANCELLED_IS_KEPT'),
  deep(mutant('FORGETS_THE_WINDOW', 'NEVER_TWICE', ['REPLAY'])),
  mutant('CANCEL_AFTER_DISPATCH', 'CANCELLED_IS_KEPT'),
  mutant('REPEAT_TAKES_BACK', 'ON_RECORD'),
  mutant('DISPATCH_WITHOUT_COMPARE', 'CANCELLED_IS_KEPT'),
  mutant('NO_ANSWER_IS_WON', 'CANCELLED_IS_KEPT'),
];

function mutant(define: string, breaks: string, others: readonly string[] = []): Check {
  return { name: [define, ...others].join(' '), defines: [define, ...others], breaks };
}

function deep(check: Check): Check {
  return { ...check, deep: true };
}

/**
 * Whether `pnpm model` has searched all states of this protocol.pml and found nothing: to search
 * the same states again finds the same, in a minute of CPU time.
 */
export async function isSearched(): Promise<boolean> {
  const { sha256 } = JSON.parse(await readFile(record, 'utf8')) as { sha256: string };
  return sha256 === (await hashOfProtocol());
}

async function hashOfProtocol(): Promise<string> {
  return createHash('sha256')
    .update(await readFile(source))
    .digest('hex');
}

async function writeRecord(outcomes: readonly Outcome[]): Promise<void> {
  const whole = outcomes.filter(({ check }) => check.breaks === undefined);
  const states = Object.fromEntries(whole.map(({ check, states }) => [check.name, states]));
  const text = JSON.stringify({ sha256: await hashOfProtocol(), states }, null, 2);
  await writeFile(record, `${text}\n`);
}

export interface Outcome {
  readonly check: Check;
  readonly states: number;
  readonly seconds: number;
  /** The property that broke, if one did. */
  readonly broke: string | undefined;
  /** The shortest way there, a line a step. */
  readonly steps: readonly string[];
  readonly asExpected: boolean;
}

/** The programs that are needed and not there. */
export async function missingTools(): Promise<string[]> {
  const tools = ['spin', 'gcc'];
  const found = await Promise.all(
    tools.map((tool) =>
      run('which', [tool]).then(
        () => undefined,
        () => tool,
      ),
    ),
  );
  return found.filter((tool) => tool !== undefined);
}

/**
 * Searches all states; a mutant's in breadth, so that it is found by the shortest way, unless that
 * is long.
 */
export async function runCheck(check: Check, shown = false): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-model-'));
  const options = { cwd: folder, maxBuffer: 2 ** 26 };
  const defines = check.defines.map((name) => `-D${name}`);
  try {
    await copyFile(source, join(folder, 'protocol.pml'));
    await run('spin', [...defines, '-a', 'protocol.pml'], options);
    // No bitstate hashing, which may miss states. -E: an attempt that waits for ever is frozen. To
    // compile costs more than to search where a property breaks.
    const isMutant = check.breaks !== undefined;
    const flags = [isMutant ? '-O0' : '-O1', '-w', '-DSAFETY', '-DNOFAIR', '-DMEMLIM=3000'];
    if (isMutant && (shown || !check.deep)) flags.push('-DBFS');
    if (isMutant) flags.push('-DCOLLAPSE');
    await run('gcc', [...flags, '-o', 'pan', 'pan.c'], options);
    const startedMs = performance.now();
    const { stdout } = await run(join(folder, 'pan'), ['-E', '-m1000000'], options);
    const seconds = (performance.now() - startedMs) / 1_000;
    if (/Search not completed/.test(stdout) && !/assertion violated/.test(stdout)) {
      throw new Error(`The search of ${check.name} was cut short:\n${stdout.slice(0, 500)}`);
    }
    const steps = await stepsTo(folder, [...defines, '-t', '-T', 'protocol.pml']);
    const broke = steps.find((step) => step.startsWith('BROKEN '))?.slice('BROKEN '.length);
    const states = Number(/(\d+) states, stored/.exec(stdout)?.[1] ?? NaN);
    const violated = /assertion violated/.test(stdout);
    return {
      check,
      states,
      seconds,
      broke: violated ? (broke ?? 'an assertion without a name') : undefined,
      steps: steps.filter((step) => !step.startsWith('BROKEN ')),
      asExpected: violated ? broke === check.breaks : check.breaks === undefined,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the trail prints, without Spin's own lines. */
async function stepsTo(folder: string, args: readonly string[]): Promise<string[]> {
  const hasTrail = await access(join(folder, 'protocol.pml.trail')).then(
    () => true,
    () => false,
  );
  if (!hasTrail) return [];
  const { stdout } = await run('spin', [...args], { cwd: folder });
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^([A-C](:|'s| is) |the |a person|cancelled$|one job|BROKEN )/.test(line));
}

async function main(wanted: string | undefined): Promise<number> {
  const missing = await missingTools();
  if (missing.length > 0) {
    console.error(`Missing: ${missing.join(', ')}. On Debian: apt-get install spin gcc libc6-dev`);
    return 2;
  }
  const chosen = checks.filter(({ name }) => wanted === undefined || name === wanted);
  const outcomes: Outcome[] = [];
  const waiting = [...chosen];
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const outcome = await runCheck(check, wanted !== undefined);
      outcomes.push(outcome);
      console.log(lineOf(outcome));
      if (wanted !== undefined || !outcome.asExpected) {
        for (const step of outcome.steps) console.log(`    ${step}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
  if (outcomes.length === 0 || !outcomes.every(({ asExpected }) => asExpected)) return 1;
  if (outcomes.length === checks.length) await writeRecord(outcomes);
  return 0;
}

function lineOf({ check, states, seconds, broke, asExpected }: Outcome): string {
  const verdict = broke === undefined ? 'holds' : `breaks ${broke}`;
  const columns = [
    check.name.padEnd(50),
    String(states).padStart(10),
    `${seconds.toFixed(1)} s`.padStart(8),
  ];
  return `${asExpected ? 'ok  ' : 'FAIL'} ${columns.join('')}  ${verdict}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const show = process.argv.indexOf('--show');
  process.exitCode = await main(show === -1 ? undefined : process.argv[show + 1]);
}
