import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly stdout: () => string;
  /** Sends the signal to the whole group, as a terminal does. */
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

export function readReadme(example: string): string {
  return readFileSync(`${root}examples/${example}/README.md`, 'utf8');
}

/** The content of the first block of that language. */
export function blockOf(markdown: string, language: string): string {
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(markdown)?.[1];
  if (block === undefined) throw new Error(`There is no block of ${language}.`);
  return block;
}

/** The one command with which a README says that its example starts. */
export function commandIn(example: string): string {
  return blockOf(readReadme(example), 'sh').trim();
}

/** Starts a command line in the root of the repository, as a reader of a README does. */
export function startCommand(command: string, env: Readonly<Record<string, string>>): Running {
  const child = spawn(command, {
    cwd: root,
    shell: true,
    // A new process group, for signal().
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      // Where npx may not ask, and where the packages are installed already: an install beside the
      // other tests would replace files under their feet.
      npm_config_yes: 'true',
      pnpm_config_verify_deps_before_run: 'false',
      ...env,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const signal = (name: NodeJS.Signals) => void process.kill(-child.pid!, name);
  const tooLong = setTimeout(() => signal('SIGKILL'), 50_000);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(tooLong);
      resolve({ code, stdout, stderr });
    });
  });
  return { stdout: () => stdout, signal, ended };
}

/** The lines that look like an error or a warning; pnpm prints the command line itself there. */
export function complaintsIn(stderr: string): string[] {
  return stderr.split('\n').filter((line) => !line.startsWith('$ ') && /error|warning/i.test(line));
}

/** The keys in a Redis that runs of an example have left behind. */
export async function keysOf(name: string, url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return await redis.keys(`*sendonce-test-${name}-*`);
  } finally {
    redis.disconnect();
  }
}
