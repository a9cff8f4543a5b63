import {
  type Attempt,
  type HeartbeatReply,
  type Ledger,
  type Loss,
  type Settlement,
  type SettleReply,
} from '@sendonce/core';
import {
  checkNames,
  checkTimer,
  listRecords,
  lossAgainst,
  type OptionNames,
} from '@sendonce/core/ledger';
import { checkClient, type RedisClient } from './client.ts';
import { CommandQueue } from './command-queue.ts';
import { Deadlines } from './deadlines.ts';
import type { Reply } from './decode-reply.ts';
import { examineRedis } from './doctor.ts';
import { planWait, type Wait } from './durability.ts';
import { checkPipeline, type Durability } from './durability-options.ts';
import { listOpenKeys } from './list-open.ts';
import { checkPrefix, placesOf } from './places.ts';
import { encodeFields, escapeText, STATE_LETTERS, type StoredRecord } from './record.ts';
import { isPlainClient, isSameServer } from './same-server.ts';
import { isAboutOneKey, unavailable } from './unavailable.ts';

/** The options of {@link redisLedger}. */
export interface RedisLedgerOptions {
  /** What the keys begin with: `prefix:{shard}key`. @default 'sendonce' */
  readonly prefix?: string | undefined;
  /**
   * How long a verb may wait for its answer, in ms, from when it is asked; at most the lease. Then
   * it fails, nothing is sent, and the attempt is repeated. A client whose server is frozen or cut
   * off would keep the command for as long as it likes (`maxRetriesPerRequest: null`, as BullMQ
   * wants it: for ever).
   * @default 10_000
   */
  readonly answerWithinMs?: number | undefined;
  /**
   * Waits, after the write that allows an email and before the email leaves, until the write would
   * survive a failover (`replicas`) or a crash (`fsync`). If that fails, nothing is sent and the
   * attempt is repeated. Give such a ledger a separate client: a wait holds up its connection.
   * @default waits for nothing
   */
  readonly durability?: Durability | undefined;
}

const OPTION_NAMES: OptionNames<RedisLedgerOptions> = {
  prefix: true,
  answerWithinMs: true,
  durability: true,
};

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
  checkClient(client);
  checkNames('redisLedger()', options, OPTION_NAMES);
  const { prefix = 'sendonce', durability, answerWithinMs = 10_000 } = options;
  checkPrefix(prefix);
  checkTimer('answerWithinMs', answerWithinMs);
  const wait = durability === undefined ? undefined : planWait(durability);
  if (wait) checkPipeline(client);
  const places = placesOf(prefix);
  const deadlines = new Deadlines(client, answerWithinMs);
  const plain = new CommandQueue({ client, places, deadlines });
  // Only what would do harm if it were forgotten is waited for: the answer that lets an email
  // leave, and a cancellation. A claim that is forgotten is not dispatched, a forgotten outcome is
  // a doubt.
  const durable = wait ? durableQueue(wait) : plain;

  function durableQueue(wait: Wait): CommandQueue {
    const afterWait = new Deadlines(client, answerWithinMs + wait.answerWithinMs);
    return new CommandQueue({ client, places, deadlines: afterWait, wait });
  }

  const ledger: Ledger = {
    answerWithinMs: options.answerWithinMs,

    claim(request) {
      const { key, token, leaseMs, dispatched } = request;
      const queue = dispatched ? durable : plain;
      const args = [token, leaseMs, dispatched ? 1 : 0, encodeFields(request)];
      return queue.run({ verb: 'claim', key, args }, (reply) => {
        return reply.status === 'won' ? WON : lossFrom(reply, request);
      });
    },

    dispatch({ key, token, leaseMs }) {
      return durable.run({ verb: 'dispatch', key, args: [token, leaseMs] }, (reply) => {
        const { status } = reply;
        const isPlain = status === 'dispatched' || status === 'expired';
        return isPlain ? { state: status } : lossFrom(reply, {});
      });
    },

    settle: (settlement) => settleBy(plain, settlement),

    async settleVia(connection) {
      if (!isPlainClient(client) || !isPlainClient(connection)) return undefined;
      if (!(await isSameServer(client, connection))) return undefined;
      const queue = new CommandQueue({ client: connection, places, deadlines });
      return (settlement) => {
        let onWritten = () => {};
        const flushed = new Promise<void>((resolve) => (onWritten = resolve));
        return { reply: settleBy(queue, settlement, onWritten), flushed };
      };
    },

    release({ key, token }) {
      return plain.run({ verb: 'release', key, args: [token] }, ({ status }) => ({
        state: status === 'released' || status === 'in-doubt' ? status : 'lost',
      }));
    },

    heartbeat(attempts) {
      const decode = ({ status }: Reply): HeartbeatReply => (status === 'kept' ? 'kept' : 'lost');
      const replies = attempts.map(({ key, token, leaseMs }) =>
        // One key that was damaged must not end the leases of the others.
        plain
          .run({ verb: 'heartbeat', key, args: [token, leaseMs] }, decode)
          .catch((error: unknown) => {
            if (isAboutOneKey(error)) return 'unknown' as const;
            throw error;
          }),
      );
      return Promise.all(replies);
    },

    read: (key) => plain.run({ verb: 'read', key, args: [] }, ({ stored }) => stored?.record),

    list: ({ state }) => {
      return listRecords(listOpenKeys({ client, places, deadlines }, state), ledger, state);
    },

    resolve({ key, token, verdict, by, retentionMs }) {
      const letter = verdict === 'sent' ? STATE_LETTERS.sent : '';
      const args = [token, retentionMs, letter, escapeText(by)];
      return plain.run({ verb: 'resolve', key, args }, ({ status, stored }) => {
        if (status === 'resolved') return { state: status };
        return { state: 'not-in-doubt', record: stored?.record };
      });
    },

    cancel({ key, by, retentionMs }) {
      const args = [retentionMs, encodeFields({ by })];
      return durable.run({ verb: 'cancel', key, args }, (reply) => {
        if (reply.status === 'cancelled') return { state: reply.status };
        return { state: 'too-late', record: storedIn(reply).record };
      });
    },

    doctor: () => examineRedis(client, ledger, wait),
  };
  return ledger;
}

// One object for all, as almost every claim and settle gets this answer.
const WON = { state: 'won' } as const;
const SETTLED = { state: 'settled' } as const;

function settleBy(
  queue: CommandQueue,
  settlement: Settlement,
  onWritten?: () => void,
): Promise<SettleReply> {
  const { key, token, retentionMs, outcome } = settlement;
  const isUndispatched = outcome === 'sent' && settlement.undispatched;
  const letter = isUndispatched ? 'U' : STATE_LETTERS[outcome];
  const args = [token, retentionMs, letter, encodeFields(settlement)];
  const decode = (reply: Reply): SettleReply => {
    if (reply.status === 'settled') return SETTLED;
    return { state: 'lost', record: storedIn(reply).record };
  };
  return queue.run({ verb: 'settle', key, args }, decode, onWritten);
}

function lossFrom(reply: Reply, attempt: Pick<Attempt, 'fingerprint'>): Loss {
  const { record, remainingMs } = storedIn(reply);
  return lossAgainst(record, attempt, remainingMs);
}

function storedIn(reply: Reply): StoredRecord {
  if (reply.stored) return reply.stored;
  throw unavailable(new Error(`unexpected reply from a script: ${reply.status}`));
}
