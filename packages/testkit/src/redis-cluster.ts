import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { type RedisProcess, startRedis } from './redis-process.ts';
import { closeServer, listen } from './sockets.ts';

export interface RedisClusterOptions {
  /** @default 3 */
  masters?: number;
  /**
   * Altogether: the first is a replica of the first master, and so on, round and round. @default 3
   */
  replicas?: number;
  /** How long a node is silent until it counts as dead. @default 1000 */
  nodeTimeoutMs?: number;
}

export interface ClusterNode extends RedisProcess {
  /** One command, on a new connection. */
  run: (...command: string[]) => Promise<unknown>;
}

export interface RedisCluster {
  /** What `new Cluster()` of ioredis takes. */
  startupNodes: { host: string; port: number }[];
  /** The masters of the beginning, then the replicas. After a failover a node has another role. */
  nodes: ClusterNode[];
  /** Resolves when the node says that it is master, or replica with its link up. */
  hasRole: (node: ClusterNode, role: 'master' | 'slave') => Promise<void>;
  /** Kills all nodes and removes their folders. */
  stop: () => Promise<void>;
}

/**
 * Starts a Redis Cluster of real processes, whose replicas are in step. Takes about two seconds.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 3, nodeTimeoutMs = 1000 } = options;
  const nodes: ClusterNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < masters + replicas; index++) {
      nodes.push(await startNode(nodeTimeoutMs));
    }
    const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
    const size = Math.ceil(16384 / masters);
    for (const [index, node] of nodes.slice(0, masters).entries()) {
      const end = Math.min(16384, (index + 1) * size);
      const slots = Array.from({ length: end - index * size }, (_, slot) => index * size + slot);
      await node.run('CLUSTER', 'ADDSLOTS', ...slots.map(String));
      // Nodes with the same epoch would have to sort it out first.
      await node.run('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }
    for (const node of others) {
      await node.run('CLUSTER', 'MEET', first.host, String(first.port));
    }
    for (const [index, node] of nodes.slice(masters).entries()) {
      const id = String(await nodes[index % masters]!.run('CLUSTER', 'MYID'));
      // Refused until it knows that master.
      await eventually(() => node.run('CLUSTER', 'REPLICATE', id), { timeoutMs: 15_000 });
    }
    for (const [index, node] of nodes.entries()) {
      await hasRole(node, index < masters ? 'master' : 'slave');
      await eventually(() => isWhole(node, nodes.length), { timeoutMs: 15_000 });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const startupNodes = nodes.map(({ host, port }) => ({ host, port }));
  return { startupNodes, nodes, hasRole, stop };
}

async function startNode(nodeTimeoutMs: number): Promise<ClusterNode> {
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': String(nodeTimeoutMs),
    'repl-diskless-sync-delay': '0',
    // A replica may be promoted after any time out of step: the test must find the loss.
    'cluster-replica-validity-factor': '0',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = await startRedis({ port: await freePorts(), args });
  return { ...withLivePid(server), run: (...command) => runOnce(server.url, command) };
}

/** A spread would freeze the pid, which changes with a restart. */
function withLivePid(server: RedisProcess): RedisProcess {
  return Object.defineProperty({ ...server }, 'pid', { get: () => server.pid, enumerable: true });
}

/** A port that is free, and so is the one of the nodes' own talk, 10000 above. */
async function freePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const servers = [createServer(), createServer()];
    try {
      for (const [index, server] of servers.entries()) {
        await listen(server, '127.0.0.1', port + index * 10_000);
      }
      return port;
    } catch {
      // Taken: another one.
    } finally {
      for (const server of servers) await closeServer(server, []);
    }
  }
}

async function hasRole({ run }: ClusterNode, role: 'master' | 'slave'): Promise<void> {
  await eventually(
    async () => {
      const info = String(await run('INFO', 'replication'));
      if (!info.includes(`role:${role}`)) throw new Error(`not yet ${role}`);
      if (role === 'slave' && !info.includes('master_link_status:up')) throw new Error('link down');
    },
    { timeoutMs: 20_000 },
  );
}

async function isWhole({ run }: ClusterNode, size: number): Promise<void> {
  const info = String(await run('CLUSTER', 'INFO'));
  if (!info.includes('cluster_state:ok')) throw new Error('the cluster is not ok');
  if (!info.includes(`cluster_known_nodes:${size}`)) throw new Error('a node is not known yet');
}

/** One command on a new connection: a server that is killed and started needs no reconnect. */
export async function runOnce(url: string, command: readonly string[]): Promise<unknown> {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    return await client.call(...(command as [string, ...string[]]));
  } finally {
    client.disconnect();
  }
}
