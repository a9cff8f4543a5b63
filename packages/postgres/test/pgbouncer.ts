import { execFile, spawn } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@sendonce/testkit';

const run = promisify(execFile);

export type PoolMode = 'session' | 'transaction' | 'statement';

export interface PgBouncer {
  readonly program: string;
  readonly env: Record<string, string>;
  /** Removes what was unpacked. */
  remove(): Promise<void>;
}

/**
 * PgBouncer on PATH, or the distribution's package unpacked into a temporary folder (no root, the
 * system is not changed). Rejects with the reason where there is neither.
 */
export async function findPgBouncer(): Promise<PgBouncer> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  for (const folder of folders) {
    const program = join(folder, 'pgbouncer');
    const found = await access(program).then(
      () => true,
      () => false,
    );
    if (found) return { program, env: {}, remove: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-pgbouncer-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    return { ...(await unpack(folder)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function unpack(folder: string): Promise<Omit<PgBouncer, 'remove'>> {
  const options = { cwd: folder, timeout: 60_000 };
  const { stdout } = await run('apt-cache', ['depends', 'pgbouncer'], options);
  const libraries = stdout.match(/(?<=Depends: )lib(?:event|c-ares|cares)\S*/g) ?? [];
  await run(
    'apt-get',
    ['-o', 'APT::Sandbox::User=root', 'download', '-qq', 'pgbouncer', ...libraries],
    options,
  );
  const root = join(folder, 'root');
  for (const file of await readdir(folder)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(folder, file), root], options);
  }
  for (const path of [folder, root]) await chmod(path, 0o755);
  const libraryFolders = (await readdir(join(root, 'usr/lib'))).map((name) =>
    join(root, 'usr/lib', name),
  );
  const program = join(root, 'usr/sbin/pgbouncer');
  await access(program);
  return { program, env: { LD_LIBRARY_PATH: libraryFolders.join(':') } };
}

/** A URL in the words of PgBouncer, which takes `password=` without a value for an error. */
function connectionString({ hostname, port, username, password }: URL): string {
  const values = { host: hostname, port: port || '5432', user: username, password };
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}='${decodeURIComponent(value).replaceAll("'", "''")}'`)
    .join(' ');
}

/** PgBouncer in front of a database, on a free port of 127.0.0.1. */
export async function startPgBouncer(bouncer: PgBouncer, url: string, mode: PoolMode) {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-pgbouncer-'));
  await chmod(folder, 0o755);
  const target = new URL(url);
  const database = target.pathname.slice(1);
  const port = await freePort();
  const ini = join(folder, 'pgbouncer.ini');
  await mkdir(join(folder, 'run'));
  await writeFile(
    ini,
    `[databases]
${database} = ${connectionString(target)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits
`,
  );
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(bouncer.program, [ini], {
    ...user,
    env: { ...process.env, ...bouncer.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`pgbouncer ended at its start: ${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4000);
      if (log.includes('process up')) resolve();
    });
  });
  const own = new URL(url);
  own.hostname = '127.0.0.1';
  own.port = String(port);
  return {
    url: own.href,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
