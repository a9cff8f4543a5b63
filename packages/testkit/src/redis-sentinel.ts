import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dyingWithParent, gone, killWithParent, onParentExit } from './children.ts';
import { eventually } from './eventually.ts';
import { type RedisBinary, findRedisBinary } from './redis-binary.ts';
import { runOnce } from './redis-cluster.ts';
import { type RedisProcess, startRedis } from './redis-process.ts';
import { freePort } from './sockets.ts';

export interface RedisSentinels {
  /** What `new Redis({ sentinels })` of ioredis takes. */
  sentinels: { host: string; port: number }[];
  /** Lets them watch a master under a name; resolves when all know each other and its replicas. */
  watch: (name: string, master: { host: string; port: number }, replicas: number) => Promise<void>;
  forget: (name: string) => Promise<void>;
  /** The port of the master under this name, as the first of them sees it. */
  masterPort: (name: string) => Promise<number>;
  stop: () => Promise<void>;
}

export interface RedisSentinel extends Omit<RedisSentinels, 'watch' | 'forget' | 'masterPort'> {
  /** The name of the master. */
  name: string;
  /** The one of the beginning. */
  master: RedisProcess;
  replicas: RedisProcess[];
  masterPort: () => Promise<number>;
}

/** Starts a master, its replicas and the Sentinels that watch them. Takes about three seconds. */
export async function startRedisSentinel(
  options: { replicas?: number; sentinels?: number } = {},
): Promise<RedisSentinel> {
  const { replicas: count = 1, sentinels: watchers = 3 } = options;
  const name = 'mails';
  const args = ['--repl-diskless-sync-delay', '0'];
  const servers: RedisProcess[] = [];
  let group: RedisSentinels | undefined;
  const stop = async () => {
    await Promise.all([group?.stop(), ...servers.map((server) => server.stop())]);
  };
  try {
    const master = await startRedis({ args });
    servers.push(master);
    const upstream = ['--replicaof', master.host, String(master.port)];
    for (let index = 0; index < count; index++) {
      servers.push(await startRedis({ args: [...args, ...upstream] }));
    }
    group = await startSentinels(watchers);
    await group.watch(name, master, count);
    const { sentinels, masterPort } = group;
    const replicas = servers.slice(1);
    return { sentinels, name, master, replicas, masterPort: () => masterPort(name), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Starts Sentinels that watch nothing yet. They need half a second of silence to call a master
 * dead.
 */
export async function startSentinels(count = 3): Promise<RedisSentinels> {
  const program = await findRedisBinary();
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-sentinel-'));
  const forgetFolder = onParentExit(() => rmSync(folder, { recursive: true, force: true }));
  const children: ChildProcess[] = [];
  const sentinels: { host: string; port: number }[] = [];
  const onEach = async (...command: string[]) =>
    Promise.all(sentinels.map(({ host, port }) => runOnce(`redis://${host}:${port}`, command)));
  const stop = async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(gone));
    await rm(folder, { recursive: true, force: true });
    forgetFolder();
  };
  try {
    for (let index = 0; index < count; index++) {
      const port = await startSentinel(program, folder, children);
      sentinels.push({ host: '127.0.0.1', port });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const quorum = String(Math.floor(count / 2) + 1);
  return {
    sentinels,
    async watch(name, { host, port }, replicas) {
      await onEach('SENTINEL', 'MONITOR', name, host, String(port), quorum);
      await onEach('SENTINEL', 'SET', name, 'down-after-milliseconds', '500');
      await onEach('SENTINEL', 'SET', name, 'failover-timeout', '8000');
      await eventually(
        async () => {
          for (const reply of await onEach('SENTINEL', 'MASTER', name)) {
            const facts = toFacts(reply);
            const others = Number(facts.get('num-other-sentinels'));
            const known = Number(facts.get('num-slaves'));
            if (others < count - 1 || known < replicas) {
              throw new Error(`a Sentinel knows ${others} others and ${known} replicas`);
            }
          }
        },
        { timeoutMs: 25_000, everyMs: 100 },
      );
    },
    forget: async (name) => void (await onEach('SENTINEL', 'REMOVE', name)),
    async masterPort(name) {
      const { host, port } = sentinels[0]!;
      const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name];
      return Number(((await runOnce(`redis://${host}:${port}`, command)) as string[])[1]);
    },
    stop,
  };
}

/** Resolves with the port on which it answers. */
async function startSentinel(
  program: RedisBinary,
  folder: string,
  children: ChildProcess[],
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const file = join(folder, `${port}.conf`);
    // A Sentinel writes what it learns into its configuration file.
    await writeFile(file, `port ${port}\nbind 127.0.0.1\n`);
    const child = spawn(...dyingWithParent(program.binary, [file, '--sentinel']), {
      stdio: 'ignore',
      env: { ...process.env, ...program.env },
    });
    children.push(child);
    killWithParent(child);
    // A forgotten server must not keep the test process alive.
    child.unref();
    if (await answersAt(port, child)) return port;
    if (attempt === 5) throw new Error(`A Sentinel did not start on port ${port}.`);
  }
}

/** False if it ended: another program, perhaps another Sentinel, took the free port first. */
async function answersAt(port: number, child: ChildProcess): Promise<boolean> {
  return eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const info = String(await runOnce(`redis://127.0.0.1:${port}`, ['INFO', 'server']));
    if (!info.includes(`process_id:${child.pid}\r`)) throw new Error('another process answers');
    return true;
  });
}

/** RESP2 answers a list of names and values, RESP3 a map. */
function toFacts(reply: unknown): Map<string, string> {
  if (!Array.isArray(reply)) return new Map(Object.entries(reply as Record<string, string>));
  const words = reply as string[];
  return new Map(
    Array.from({ length: words.length / 2 }, (_, pair) => [words[pair * 2]!, words[pair * 2 + 1]!]),
  );
}
