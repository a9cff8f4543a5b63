import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Journal } from '@sendonce/core';
import type { FindQueue, QueueOfJobs } from '@sendonce/core/inspect';
import { suggest } from '@sendonce/core/ledger';
import type { Backend } from './backend.ts';
import { type CommandLine, locationOptions, textOption } from './command.ts';
import { configFiles, listLedgers, type Location, openModule, readJson } from './config-file.ts';
import { closeOnError, connectRedis } from './connect-redis.ts';
import { hasNoKeys, areEmpty } from './nothing-known.ts';
import { DEFAULT_NAME, describeRedis, openLedger } from './open-ledger.ts';
import { type Terminal, UsageError } from './terminal.ts';

/**
 * Opens what the options, the environment (SENDONCE_REDIS, …) or a configuration file name, in this
 * order.
 */
export async function openBackend(
  commandLine: CommandLine,
  { env, folder }: Terminal,
): Promise<Backend> {
  const location = readLocation(commandLine, env);
  const file = chooseFile(location, folder);
  if (file === undefined) return openStores(location);
  if (file.endsWith('.json')) {
    return openStores({ ...readJson(resolve(folder, file)), ...location });
  }
  return openModule(resolve(folder, file));
}

function readLocation(commandLine: CommandLine, env: Terminal['env']): Location {
  const location: Location = {};
  const names = Object.keys(locationOptions) as (keyof Location)[];
  refuseMisspelt(env, names.map(nameVariable));
  for (const name of names) {
    const value = textOption(commandLine, name) ?? env[nameVariable(name)];
    if (value !== undefined && value !== '') location[name] = value;
  }
  return location;
}

function nameVariable(name: string): string {
  return `SENDONCE_${name.replace('-', '_').toUpperCase()}`;
}

/** A variable that is ignored would lead to another place without a word. @throws {UsageError} */
function refuseMisspelt(env: Terminal['env'], known: readonly string[]): void {
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('SENDONCE_') || known.includes(variable)) continue;
    const nearest = suggest(variable, known);
    if (nearest) throw new UsageError(`Unknown variable ${variable}. Did you mean ${nearest}?`);
  }
}

/** The configuration file to read. Undefined if the location names a ledger. */
function chooseFile(location: Location, folder: string): string | undefined {
  const ledgers = [
    ...listLedgers(location),
    ...(location.config === undefined ? [] : (['config'] as const)),
  ];
  if (ledgers.length > 1) {
    const options = ledgers.map((name) => `--${name}`).join(' and ');
    throw new UsageError(`${options} name several ledgers: give one.`);
  }
  if (location.config !== undefined) return location.config;
  if (ledgers.length > 0) return undefined;
  return configFiles.find((name) => existsSync(resolve(folder, name)));
}

async function openStores(location: Location): Promise<Backend> {
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async () => {
    for (const one of opened.toReversed()) await one.close();
  };
  try {
    const ledger = await openLedger(location);
    opened.push(ledger);
    const journal = await openJournal(location);
    if (journal) opened.push(journal);
    const queues = await openQueues(location);
    if (queues) opened.push(queues);
    return {
      ledger: ledger.ledger,
      location: ledger.location,
      journal: journal?.journal,
      journalLocation: journal?.location,
      isEmpty: () => areEmpty([ledger.isEmpty, ...(journal ? [journal.isEmpty] : [])]),
      ...(queues && { findQueue: queues.findQueue }),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function openJournal({ journal: journalUrl, redis, prefix = DEFAULT_NAME }: Location) {
  const url = journalUrl ?? redis;
  if (url === undefined) return undefined;
  const { redisJournal } = await import('@sendonce/redis');
  const name = journalUrl === undefined ? '--redis' : '--journal';
  const client = await connectRedis(url, { name });
  const journal: Journal = closeOnError([client], () => redisJournal(client, { prefix }));
  return {
    journal,
    location: describeRedis(url, name, prefix),
    isEmpty: () => hasNoKeys(client, prefix),
    async close() {
      await journal.flush();
      client.disconnect();
    },
  };
}

interface OpenQueue extends QueueOfJobs {
  close(): Promise<void>;
}

async function openQueues({ queue: queueUrl, redis, 'queue-prefix': prefix }: Location) {
  const url = queueUrl ?? redis;
  if (url === undefined) return undefined;
  const { Queue } = await import('bullmq');
  const name = queueUrl === undefined ? '--redis' : '--queue';
  const client = await connectRedis(url, { name, forQueue: true });
  const opened = new Map<string, OpenQueue>();
  const findQueue: FindQueue = (name) => {
    const known = opened.get(name);
    if (known) return known;
    // A command that looks for a job writes no metadata of the queue.
    const options = { connection: client, skipMetasUpdate: true };
    const queue = new Queue(name, { ...options, ...(prefix !== undefined && { prefix }) });
    queue.on('error', () => {});
    opened.set(name, queue);
    return queue;
  };
  return {
    findQueue,
    async close() {
      await Promise.all([...opened.values()].map((queue) => queue.close()));
      client.disconnect();
    },
  };
}
