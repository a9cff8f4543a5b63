import { deriveKey, type Finding, isSendonceError, type Ledger } from '@sendonce/core';
import { createToken, JOBS_WAIT, withoutErrorPage } from '@sendonce/core/ledger';
import type { RedisClient } from './client.ts';
import { remedyFor, type Wait } from './durability.ts';
import { remedyForError } from './unavailable.ts';

/** What the ledger on Redis rests on. On a Cluster, that of one of its nodes. */
export async function examineRedis(
  client: RedisClient,
  ledger: Pick<Ledger, 'claim' | 'release'>,
  wait?: Wait,
): Promise<readonly Finding[]> {
  const info = await client.info('default').catch(() => undefined);
  const answeredAtMs = Date.now();
  const scripts = [...(await examineDatabase(client)), ...(await examineScripts(ledger))];
  if (info === undefined) return [...scripts, notChecked('INFO')];
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  return [
    ...scripts,
    ...examineEviction(field('maxmemory_policy')),
    ...(await examinePersistence(client, field, wait?.fsync)),
    ...examineRole(field, wait?.replicas),
    ...(wait ? await examineDurability(client, field, wait) : []),
    ...examineVersion(field('redis_version')),
    ...examineClock(Number(field('server_time_usec')) / 1000 - answeredAtMs),
  ];
}

type Field = (name: string) => string | undefined;

/** A client whose SELECT is refused stays in database 0, where another ledger may be. */
async function examineDatabase(client: RedisClient): Promise<Finding[]> {
  const { db } = (client.options ?? {}) as { readonly db?: unknown };
  if (typeof db !== 'number' || db === 0 || !client.call) return [];
  try {
    await client.call('SELECT', db);
    return [];
  } catch (error) {
    return [
      {
        severity: 'error',
        check: 'database',
        found: `The client is to use database ${db}, and its SELECT is refused (${(error as Error).message}): it uses database 0.`,
        remedy: `Allow +select, or name a database that exists. Emails are recorded in database 0 until then.`,
      },
    ];
  }
}

/** Runs a claim and gives it back: the only proof that the scripts may run and write. */
async function examineScripts(ledger: Pick<Ledger, 'claim' | 'release'>): Promise<Finding[]> {
  const probe = {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: 5_000,
    retentionMs: 5_000,
  };
  try {
    await ledger.claim(probe);
    await ledger.release(probe);
    return [];
  } catch (error) {
    if (!isSendonceError(error)) throw error;
    const message = withoutErrorPage(error.message);
    if (/no answer within/.test(message)) return [notAnswered(message)];
    const remedy = remedyForError(message);
    // The message has the remedy as well.
    const found = message.replace(` ${remedy}`, '');
    return [{ severity: 'error', check: 'scripts', found, remedy }];
  }
}

function notAnswered(found: string): Finding {
  const remedy = JOBS_WAIT;
  return { severity: 'error', check: 'connection', found, remedy };
}

function examineEviction(policy: string | undefined): Finding[] {
  if (policy === undefined) return [notChecked('eviction')];
  if (policy === 'noeviction') return [];
  return [
    {
      severity: 'error',
      check: 'eviction',
      found: `maxmemory-policy is ${policy}: the memory of a sent email may be evicted, and its duplicate is sent.`,
      remedy:
        'Run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf or at your provider ' +
        '(BullMQ needs it as well).',
    },
  ];
}

async function examinePersistence(
  client: RedisClient,
  field: Field,
  waitsForDisk = false,
): Promise<Finding[]> {
  if (field('aof_enabled') === undefined) return [notChecked('persistence')];
  if (field('aof_enabled') !== '1') {
    // With durability.fsync no email leaves, and examineDurability says so.
    if (waitsForDisk) return [];
    return [
      {
        severity: 'warning',
        check: 'persistence',
        found: 'There is no append-only file: a crash of the server forgets emails that were sent.',
        remedy: 'Set appendonly yes.',
      },
    ];
  }
  if (field('aof_last_write_status') === 'err') {
    return [
      {
        severity: 'error',
        check: 'persistence',
        found: 'The last write to the append-only file failed.',
        remedy: 'Look at the disk and the log of the server.',
      },
    ];
  }
  const fsync = await configured(client, 'appendfsync');
  if (fsync === 'always') return [];
  if (waitsForDisk) return examineWaitForDisk(fsync);
  return [
    {
      severity: 'info',
      check: 'persistence',
      found: `appendfsync is ${fsync ?? 'not readable'}: a crash of the machine may forget the last second or more.`,
      remedy:
        'Set appendfsync always, or wait for it with durability: { fsync: true } (Redis 7.2).',
    },
  ];
}

/** WAITAOF does not write the file: it waits until the server does. */
function examineWaitForDisk(fsync: string | undefined): Finding[] {
  if (fsync !== 'no') return [];
  return [
    {
      severity: 'error',
      check: 'durability',
      found: 'appendfsync is no, and durability.fsync waits for the disk: no email leaves.',
      remedy: 'Set appendfsync always, or everysec (each email then waits for up to a second).',
    },
  ];
}

function examineRole(field: Field, awaited = 0): Finding[] {
  if (field('role') === 'slave') {
    return [
      {
        severity: 'error',
        check: 'role',
        found: 'This server is a replica: it refuses writes, or forgets them.',
        remedy: 'Connect to the master (by Sentinel, or by its address).',
      },
    ];
  }
  if (awaited > 0 || Number(field('connected_slaves') ?? 0) === 0) return [];
  return [
    {
      severity: 'info',
      check: 'replicas',
      found: 'There are replicas: a failover to one that lags forgets what it had not received.',
      remedy: 'Wait for one before each email with durability: { replicas: 1 }.',
    },
  ];
}

/** Whether `durability` can be fulfilled: where it cannot, no email leaves. */
async function examineDurability(
  client: RedisClient,
  field: Field,
  { fsync, replicas, probe }: Wait,
): Promise<Finding[]> {
  const error = (found: string, remedy: string): Finding[] => [
    { severity: 'error', check: 'durability', found: `${found}: no email leaves.`, remedy },
  ];
  const refusal = await refusalOf(client, probe);
  if (refusal !== undefined) {
    const remedy = fsync ? remedyFor(refusal) : 'Allow the user of this connection +wait.';
    return error(`The server refuses ${probe[0]} (${refusal})`, remedy);
  }
  if (fsync && field('aof_enabled') === '0') {
    return error(
      'durability.fsync waits for an append-only file, and there is none',
      'Set appendonly yes, on the replicas as well if durability.replicas is set.',
    );
  }
  const connected = Number(field('connected_slaves') ?? Infinity);
  if (connected >= replicas) return [];
  return error(
    `durability.replicas is ${replicas}, and ${connected} replicas are connected`,
    'Connect more replicas, or ask for less.',
  );
}

/** What the server says to a command that it does not know or does not allow. */
async function refusalOf(client: RedisClient, command: Wait['probe']): Promise<string | undefined> {
  try {
    const replies = await client.pipeline!([['call', ...command]]).exec();
    return replies?.[0]?.[0]?.message;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function examineVersion(version: string | undefined): Finding[] {
  if (version === undefined || Number.parseInt(version, 10) >= 5) return [];
  return [
    {
      severity: 'error',
      check: 'version',
      found: `This is Redis ${version}: its replicas run scripts again instead of their effects.`,
      remedy: 'Use Redis 5 or later, or Valkey.',
    },
  ];
}

function examineClock(aheadMs: number): Finding[] {
  if (!Number.isFinite(aheadMs) || Math.abs(aheadMs) < 2_000) return [];
  return [
    {
      severity: 'info',
      check: 'clock',
      found: `The clock of the server differs from this one by ${Math.round(aheadMs / 1000)} s; records carry its time.`,
      remedy: 'Leases do not depend on it; set both by NTP so that logs agree.',
    },
  ];
}

/** A setting of the server, where it may be read: providers often forbid CONFIG. */
async function configured(client: object, name: string): Promise<string | undefined> {
  const { call } = client as { call?: (...args: string[]) => Promise<unknown> };
  const reply = await call?.call(client, 'CONFIG', 'GET', name).catch(() => undefined);
  // RESP2 answers a list, RESP3 a map.
  if (Array.isArray(reply)) return reply[1] === undefined ? undefined : String(reply[1]);
  const value = (reply as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}

function notChecked(check: string): Finding {
  return {
    severity: 'info',
    check: check.toLowerCase(),
    found: `${check} could not be checked: the server does not say.`,
    remedy: '',
  };
}
