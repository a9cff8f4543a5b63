import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Attempt,
  type HeartbeatReply,
  type Ledger,
  type Loss,
  OptionError,
  type Settlement,
  type SettleReply,
} from '@sendonce/core';
import { describe, listRecords, lossAgainst } from '@sendonce/core/ledger';
import { type Answer, batchedVerb, type Verb } from './batch.ts';
import { checkClient, defineScript, type RedisClient, unavailable } from './client.ts';
import { examineRedis } from './doctor.ts';
import { checkWaiting, type Durability, waitFor } from './durability.ts';
import * as lua from './generated/scripts.ts';
import { checkPrefix, type Places, placesOf, shards } from './places.ts';
import { encodeFields, type Standing } from './record.ts';
import { isPlainClient, isSameServer } from './same-server.ts';

export interface RedisLedgerOptions {
  /** What the keys begin with: `prefix:{shard}key`. @default 'sendonce' */
  readonly prefix?: string;
  /**
   * Waits, after the write that allows an email and before the email leaves, until the write would
   * survive a failover (`replicas`) or a crash (`fsync`). Where that fails, nothing is sent and the
   * attempt is repeated. Give such a ledger a client of its own: a wait holds up its connection.
   * @default waits for nothing
   */
  readonly durability?: Durability;
  /**
   * Keeps sent emails in about a third of the memory: many in one hash, for a little more work at each claim. It takes
   * effect for what is settled from then on, and may be turned off again; all ledgers read both forms. One
   * with long texts (a result, a Message-ID) or a retention below a minute is kept as ever; the retention
   * is exact to a second. The scripts then use keys whose names are known only inside (in the slot of those that
   * are declared): a server or proxy that refuses those needs `false`.
   * @default false
   */
  readonly compact?: boolean;
}

/**
 * A ledger on one Redis or Valkey (5 or later), Sentinel or Cluster, by an ioredis client of yours.
 *
 * It is as durable as its Redis: a server that loses a record it had acknowledged (no AOF, a
 * failover to a replica that lags, eviction) may let a duplicate through. `durability` closes the
 * failover and the crash, but for a failover to a replica that was not waited for.
 * @throws {OptionError} for wrong options or a client with `keyPrefix`.
 *
 * @example
 * const ledger = redisLedger(new Redis(process.env.REDIS_URL));
 */
export function redisLedger(client: RedisClient, options: RedisLedgerOptions = {}): Ledger {
  const { prefix = 'sendonce', durability, compact = false } = options;
  checkClient(client);
  checkPrefix(prefix);
  checkCompact(compact);
  const wait = durability === undefined ? undefined : waitFor(durability);
  if (wait) checkWaiting(client);
  const places = placesOf(prefix);
  const verb = (script: string) => batchedVerb(client, places, script);
  // Waited for is what would do harm if it were forgotten: the word that lets an email leave, and a
  // cancellation. A claim that is forgotten is not dispatched, a forgotten outcome is a doubt.
  const lasting = (script: string) => batchedVerb(client, places, script, { wait });
  const claim = verb(lua.claim);
  const claimDispatched = lasting(lua.claim);
  const dispatch = lasting(lua.dispatch);
  const settle = verb(lua.settle);
  const release = verb(lua.release);
  const heartbeat = verb(lua.heartbeat);
  const read = verb(lua.read);
  const resolve = verb(lua.resolve);
  const cancel = lasting(lua.cancel);

  const ledger: Ledger = {
    claim(request) {
      const { key, token, leaseMs, dispatched } = request;
      const ask = dispatched ? claimDispatched : claim;
      const args = [token, leaseMs, dispatched ? 1 : 0, encodeFields(key, request)];
      return ask(key, args, (answer) => (answer.word === 'won' ? won : lost(answer, request)));
    },

    dispatch({ key, token, leaseMs }) {
      return dispatch(key, [token, leaseMs], (answer) => {
        const { word } = answer;
        return word === 'dispatched' || word === 'expired' ? { state: word } : lost(answer, {});
      });
    },

    settle: (settlement) => settleBy(settle, settlement, compact),

    async settleVia(connection) {
      if (this !== ledger || !isPlainClient(client) || !isPlainClient(connection)) return undefined;
      if (!(await isSameServer(client, connection))) return undefined;
      // Timers and replies that come together have a tick each, and processors end by them. Nobody waits for
      // this answer, so it may wait for all of them.
      const beside = batchedVerb(connection, places, lua.settle, { gathered: nextTurn });
      return (settlement) => {
        const reply = settleBy(beside, settlement, compact);
        return { reply, flushed: beside.left(settlement.key) };
      };
    },

    release({ key, token }) {
      return release(key, [token], ({ word }) => ({
        state: word === 'released' || word === 'in-doubt' ? word : 'lost',
      }));
    },

    heartbeat(attempts) {
      const kept = ({ word }: Answer): HeartbeatReply => (word === 'kept' ? 'kept' : 'lost');
      return Promise.all(
        attempts.map(({ key, token, leaseMs }) => heartbeat(key, [token, leaseMs], kept)),
      );
    },

    read: (key) => read(key, [], ({ standing }) => standing?.record),

    async *list({ state }) {
      const keys = await openKeys(client, places);
      yield* listRecords(keys, ledger, state);
    },

    resolve({ key, token, verdict, by, retentionMs }) {
      const letter = verdict === 'sent' ? 'S' : '';
      const args = [token, retentionMs, letter, encodeNote(key, `resolved by ${by}`)];
      return resolve(key, args, ({ word, standing }) => {
        if (word === 'resolved') return { state: word };
        return { state: 'not-in-doubt', record: standing?.record };
      });
    },

    cancel({ key, by, retentionMs }) {
      return cancel(key, [retentionMs, encodeFields(key, { by })], (answer) => {
        if (answer.word === 'cancelled') return { state: answer.word };
        return { state: 'too-late', record: standingOf(answer).record };
      });
    },

    doctor: () => examineRedis(client, ledger, wait),
  };
  return ledger;
}

const won = { state: 'won' } as const;
const settled = { state: 'settled' } as const;

function settleBy(verb: Verb, settlement: Settlement, compact: boolean): Promise<SettleReply> {
  const { key, token, retentionMs, outcome } = settlement;
  const letter = compact && outcome === 'sent' ? 's' : letters[outcome];
  const args = [token, retentionMs, letter, encodeFields(key, settlement)];
  return verb(key, args, (answer) => {
    if (answer.word === 'settled') return settled;
    return { state: 'lost', record: standingOf(answer).record };
  });
}

const listShard = defineScript(lua.list);

const letters: Record<Settlement['outcome'], string> = {
  sent: 'S',
  rejected: 'R',
  'in-doubt': 'D',
};

/** The keys of all open dispatches, those that are silent for longest first. */
async function openKeys(client: RedisClient, places: Places): Promise<string[]> {
  const found = await Promise.all(
    shards.map(async (shard) => {
      const reply = (await listShard(client, [places.index(shard)], [])) as string[];
      return Array.from({ length: reply.length / 2 }, (_, pair) => ({
        key: shard + reply[pair * 2],
        score: Number(reply[pair * 2 + 1]),
      }));
    }),
  );
  return found
    .flat()
    .toSorted((one, other) => one.score - other.score)
    .map(({ key }) => key);
}

function lost(answer: Answer, attempt: Pick<Attempt, 'fingerprint'>): Loss {
  const { record, remainingMs } = standingOf(answer);
  return lossAgainst(record, attempt, remainingMs);
}

function standingOf(answer: Answer): Standing {
  if (answer.standing) return answer.standing;
  throw unavailable(new Error(`a reply that this version does not know: ${answer.word}`));
}

function encodeNote(key: string, note: string): string {
  return encodeFields(key, { note }).split('\n')[3]!;
}

function checkCompact(compact: unknown): void {
  if (typeof compact === 'boolean') return;
  throw new OptionError(
    'compact',
    `Expected "compact" to be true or false, got ${describe(compact)}.`,
  );
}
