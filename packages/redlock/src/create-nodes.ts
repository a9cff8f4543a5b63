import { OptionError } from '@sendonce/core';
import { type RedisClient, redisLedger } from '@sendonce/redis';
import { nameOf } from '@sendonce/redis/internal';
import type { Node } from './node.ts';

/** One node for each client. @throws {OptionError} */
export function createNodes(clients: readonly RedisClient[], prefix: string): Node[] {
  if (!Array.isArray(clients) || clients.length < 3 || clients.length % 2 === 0) {
    const got = Array.isArray(clients) ? `${clients.length}` : typeof clients;
    throw new OptionError(
      'clients',
      `Expected "clients" to be an odd number of ioredis clients, three or more, got ${got}. An even ` +
        'number survives no more failures than one node less, and two halves can block each other. ' +
        'For a single Redis use redisLedger(client).',
    );
  }
  if (new Set(clients).size < clients.length) {
    throw new OptionError(
      'clients',
      'Expected "clients" to be different clients, got the same one twice: its server would vote twice.',
    );
  }
  if (clients.some((client) => client?.isCluster)) {
    throw new OptionError(
      'clients',
      'Expected "clients" to be single, independent Redis servers, got a Cluster: its shards move keys ' +
        'and its replicas forget what they had not received. Use redisLedger(cluster, { durability }).',
    );
  }
  return clients.map((client, index) => {
    const ledger = redisLedger(client, { prefix });
    return { name: nameOf(client) ?? `node ${index + 1}`, client, ledger, suspect: false };
  });
}
