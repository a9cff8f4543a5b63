export { bundleProgram, bundleWorker } from './bundle-worker.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { median } from './median.ts';
export { deleteNamespace, namespace } from './namespace.ts';
export {
  type PostgresProcess,
  type StartPostgresOptions,
  startPostgres,
} from './postgres-process.ts';
export { binariesPackage } from './postgres-binary.ts';
export { dropSchema, type FoundPostgres, findPostgres } from './postgres-server.ts';
export { randomNumbers } from './random.ts';
export { type RedisBinary, findRedisBinary } from './redis-binary.ts';
export {
  type ClusterNode,
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from './redis-cluster.ts';
export { type RedisProcess, type StartRedisOptions, startRedis } from './redis-process.ts';
export {
  type RedisSentinel,
  type RedisSentinels,
  startRedisSentinel,
  startSentinels,
} from './redis-sentinel.ts';
export { type FoundRedis, findRedis } from './redis-server.ts';
export type { ReceivedEmail } from './smtp-email.ts';
export {
  type Fault,
  type FaultKind,
  type FaultPhase,
  type FaultPlan,
  type NamedFault,
  smtpFaults,
} from './smtp-faults.ts';
export { type SmtpServer, type SmtpServerOptions, startSmtpServer } from './smtp-server.ts';
export { type ArmedCut, type TcpProxy, type TcpProxyTarget, startTcpProxy } from './tcp-proxy.ts';
export type { Direction, RequestMatch } from './tcp-proxy-link.ts';
export {
  type PointAction,
  onParentMessage,
  reachPoint,
  tellParent,
  workerData,
  workerName,
} from './points.ts';
export type { ReachedPoint } from './reached-points.ts';
export {
  type WorkerExit,
  type WorkerProcess,
  type WorkerProcessOptions,
  startWorkerProcess,
} from './worker-process.ts';
export { freePort } from './sockets.ts';
export { untilDone } from './until-done.ts';
export { type CommandWatch, type SeenCommand, watchCommands } from './watch-commands.ts';
export { type Servers, withServers } from './with-servers.ts';
