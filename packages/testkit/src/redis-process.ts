import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dyingWithParent, gone, killWithParent, onParentExit } from './children.ts';
import { type RedisBinary, findRedisBinary } from './redis-binary.ts';
import { freePort } from './sockets.ts';

export interface StartRedisOptions {
  /** More arguments of redis-server; they win over the defaults. */
  args?: string[];
  /** @default a free port */
  port?: number;
  /** Whether writes survive `kill()` and `restart()`. @default false */
  appendOnly?: boolean;
}

/** A Redis of one's own, to be ill-treated. */
export interface RedisProcess {
  url: string;
  host: string;
  port: number;
  /** Changes with `restart()`. */
  readonly pid: number;
  /** Such as "Redis 7.0.15, redis-server on PATH". */
  how: string;
  binary: string;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause: () => void;
  /** SIGCONT. */
  resume: () => void;
  /** SIGKILL, and waits until it is gone. */
  kill: () => Promise<void>;
  /** Ends it if it runs (SIGTERM), and starts it on the same port with the same folder. */
  restart: () => Promise<void>;
  /** Kills it and removes its folder. May be called twice. */
  stop: () => Promise<void>;
}

/**
 * Starts a private Redis on 127.0.0.1, with a temporary folder, no snapshots and `noeviction`.
 * It dies with this process. Takes about 50 ms once a program has been found.
 *
 * Throws an error with the code `NO_REDIS_BINARY` when only a REDIS_URL is there.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisProcess> {
  return startRedisWith(await findRedisBinary(), options);
}

/** The same with a program that was found before. */
export async function startRedisWith(
  program: RedisBinary,
  options: StartRedisOptions,
): Promise<RedisProcess> {
  const { args = [], appendOnly = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-redis-'));
  const forgetFolder = onParentExit(() => rmSync(folder, { recursive: true, force: true }));
  const host = '127.0.0.1';

  const launch = (port: number) => {
    const settings = {
      port: String(port),
      bind: host,
      dir: folder,
      save: '',
      appendonly: appendOnly ? 'yes' : 'no',
      'maxmemory-policy': 'noeviction',
    };
    const defaults = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return startProcess(program, [...defaults, ...args]);
  };

  const removeFolder = async () => {
    await rm(folder, { recursive: true, force: true });
    forgetFolder();
  };

  let port = options.port ?? 0;
  let child: ChildProcess | undefined;
  try {
    for (let attempt = 0; child === undefined; attempt++) {
      if (options.port === undefined) port = await freePort();
      // Another program may take a free port before Redis does.
      child = await launch(port).catch((error: unknown) => {
        if (options.port !== undefined || attempt >= 3 || !String(error).includes('in use'))
          throw error;
        return undefined;
      });
    }
  } catch (error) {
    await removeFolder();
    throw error;
  }

  let current = child;
  const end = async (signal: NodeJS.Signals) => {
    current.kill(signal);
    // A stopped process sees SIGTERM only when it continues.
    current.kill('SIGCONT');
    await gone(current);
  };

  return {
    url: `redis://${host}:${port}`,
    host,
    port,
    get pid() {
      return current.pid ?? -1;
    },
    how: program.how,
    binary: program.binary,
    pause: () => void current.kill('SIGSTOP'),
    resume: () => void current.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      current = await launch(port);
    },
    stop: async () => {
      await end('SIGKILL');
      await removeFolder();
    },
  };
}

/** Resolves when Redis says that it accepts connections; rejects with the end of its log. */
async function startProcess(program: RedisBinary, args: string[]): Promise<ChildProcess> {
  const child = spawn(...dyingWithParent(program.binary, args), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
  });
  killWithParent(child);
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const onOutput = (chunk: Buffer) => {
      // Read on for ever: a full pipe would block the server.
      log = (log + chunk.toString()).slice(-4000);
      if (log.includes('Ready to accept connections')) resolve();
    };
    child.stdout.on('data', onOutput);
    child.stderr.on('data', onOutput);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const lastLines = log.trim().split('\n').slice(-5).join('\n');
      reject(new Error(`${program.binary} ended at its start (${code ?? signal}):\n${lastLines}`));
    });
  });
  // A forgotten server must not keep the test process alive.
  child.unref();
  for (const stream of [child.stdout, child.stderr])
    (stream as unknown as { unref: () => void }).unref();
  return child;
}
