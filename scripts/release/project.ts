import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deleteNamespace, dropSchema, namespace, type SmtpServer } from '@sendonce/testkit';
import { root } from '../published.ts';
import type { PackedPackages } from './pack.ts';

const execute = promisify(execFile);

/** The real servers that the projects use. */
export interface ReleaseServers {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Of independent servers, started for the first project that asks. */
  readonly redlockUrls: () => Promise<readonly string[]>;
  readonly smtp: SmtpServer;
}

export interface Context {
  readonly packed: PackedPackages;
  readonly servers: ReleaseServers;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** When the program is killed. @default 100_000 */
  readonly timeoutMs?: number;
}

type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Ran>;

/** A project outside of the workspace that has installed the packed packages. */
export interface Project extends Context {
  readonly folder: string;
  readonly write: (file: string, content: string | object) => Promise<void>;
  /** Runs a program in the project, and does not fail when the program does. */
  readonly run: Run;
  /** Runs a program that must end with 0. @throws with what it has written */
  readonly mustRun: Run;
  readonly remove: () => Promise<void>;
}

/** An empty project with the files of one folder of `fixtures`. */
export async function makeProject(context: Context, fixture: string): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-release-'));
  await cp(join(root, 'fixtures', fixture), folder, { recursive: true });
  const run: Run = async (program, args, { env, timeoutMs = 100_000 } = {}) => {
    return execute(program, args, {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    }).then(
      ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
      (error: { code?: number; stdout: string; stderr: string }) => ({
        exitCode: typeof error.code === 'number' ? error.code : -1,
        stdout: error.stdout,
        stderr: error.stderr,
      }),
    );
  };
  return {
    ...context,
    folder,
    run,
    async write(file, content) {
      const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
      await writeFile(join(folder, file), text);
    },
    async mustRun(program, args, options) {
      const ran = await run(program, args, options);
      if (ran.exitCode === 0) return ran;
      const command = [program, ...args].join(' ').replaceAll(folder, '.');
      throw new Error(`${command} ended with ${ran.exitCode}\n${ran.stdout}\n${ran.stderr}`);
    },
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** Which ledger a `send` program uses; `none` is the bare processor. */
export type SendLedger = 'redis' | 'postgres' | 'redlock' | 'none';

/**
 * Runs a `send` program of a project, which adds 32 copies of one job and ends when all have
 * completed.
 *
 * @returns how many emails the mail server received.
 */
export async function countEmails(
  { servers, mustRun }: Project,
  command: readonly [program: string, ...args: string[]],
  ledger: SendLedger = 'redis',
): Promise<number> {
  const prefix = namespace('release');
  const to = `${prefix}@example.org`;
  const [program, ...args] = command;
  try {
    const env = {
      REDIS_URL: servers.redisUrl,
      REDLOCK_URLS: ledger === 'redlock' ? (await servers.redlockUrls()).join(' ') : '',
      DATABASE_URL: servers.databaseUrl,
      SMTP_URL: servers.smtp.url,
      PREFIX: prefix,
      LEDGER: ledger,
      TO: to,
    };
    await mustRun(program, args, { env });
  } finally {
    await deleteNamespace(servers.redisUrl, prefix);
    if (ledger === 'postgres') await dropSchema(servers.databaseUrl, prefix);
  }
  return servers.smtp.received.filter((email) => email.to.includes(to)).length;
}
