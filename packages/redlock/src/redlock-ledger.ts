import {
  type HeartbeatReply,
  type Ledger,
  LedgerUnavailableError,
  type LedgerRecord,
} from '@sendonce/core';
import { checkDuration, listRecords } from '@sendonce/core/ledger';
import type { RedisClient } from '@sendonce/redis';
import { cancelByMajority } from './cancel.ts';
import { claimByMajority } from './claim.ts';
import { dispatchByMajority } from './dispatch.ts';
import { examineNodes } from './doctor.ts';
import { extendLock } from './lock.ts';
import { membershipOf } from './membership.ts';
import { nodesOf } from './nodes-of.ts';
import { openKeys } from './open-keys.ts';
import { answersOf, noMajority, quorumOf } from './quorum.ts';
import { releaseByMajority } from './release.ts';
import { resolveByMajority } from './resolve.ts';
import { settleByMajority } from './settle.ts';
import { strongest } from './strongest.ts';

export interface RedlockLedgerOptions {
  /**
   * Begins every key in Redis.
   * @default 'sendonce'
   */
  readonly prefix?: string;
  /**
   * How long a node may take to answer, in milliseconds; then it counts as unreachable for this verb.
   * @default 500
   */
  readonly timeoutMs?: number;
}

/**
 * The ledger on an odd number of independent Redis servers: redlock as the lease, the same record on a
 * majority of them as the memory. Never twice, never lost in silence, while at any moment no more than
 * a minority of the nodes is down, frozen, cut off, or restarted with or without its data. With a
 * majority gone nothing is sent and nothing lost. What no ledger can close: a sender that dies between
 * dispatch and settle leaves its email in doubt, listed, to be resolved.
 *
 * @param clients one ioredis client for each node, three or more, an odd number. They stay the caller's.
 * @throws {OptionError} for an even number, the same client twice, a Cluster, a client with keyPrefix. Two
 *   clients of one server are found by the first verb, which throws it then.
 * @example const ledger = redlockLedger([new Redis(urlA), new Redis(urlB), new Redis(urlC)])
 */
export function redlockLedger(
  clients: readonly RedisClient[],
  options: RedlockLedgerOptions = {},
): Ledger {
  const { prefix = 'sendonce', timeoutMs = 500 } = options;
  checkDuration('timeoutMs', timeoutMs);
  const nodes = nodesOf(clients, prefix);
  const quorum = quorumOf(nodes, membershipOf(nodes, prefix, timeoutMs), { prefix, timeoutMs });

  const ledger: Ledger = {
    async claim({ dispatched, ...attempt }) {
      const reply = await claimByMajority(quorum, attempt);
      if (reply.state !== 'won' || !dispatched) return reply;
      const gone = await dispatchByMajority(quorum, attempt);
      if (gone.state === 'dispatched') return { state: 'won' };
      if (gone.state !== 'expired') return gone;
      throw new LedgerUnavailableError(
        'The claim ended before its dispatch. Nothing was sent; try again.',
      );
    },

    dispatch: (attempt) => dispatchByMajority(quorum, attempt),

    settle: (settlement) => settleByMajority(quorum, settlement),

    release: (attempt) => releaseByMajority(quorum, attempt),

    async heartbeat(attempts) {
      const votes = quorum.ask((node) => node.ledger.heartbeat(attempts));
      const answers = answersOf('heartbeat', await Promise.all(votes));
      return Promise.all(
        attempts.map(async (attempt, index): Promise<HeartbeatReply> => {
          const isFor = (replies: readonly HeartbeatReply[]) => replies[index] === 'kept';
          if (await extendLock(votes, { ...attempt, isFor })) return 'kept';
          if (answers.filter((replies) => !isFor(replies)).length >= quorum.size) return 'lost';
          throw noMajority('heartbeat', await Promise.all(votes), isFor);
        }),
      );
    },

    async read(key) {
      const votes = await quorum.poll(async (node) => ({ record: await node.ledger.read(key) }));
      return strongest(answersOf('read', votes).filter(isStanding), quorum.size)?.record;
    },

    async *list({ state }) {
      yield* listRecords(await openKeys(quorum), ledger, state);
    },

    async resolve(resolution) {
      return resolveByMajority(quorum, resolution, await ledger.read(resolution.key));
    },

    cancel: (cancellation) => cancelByMajority(quorum, cancellation),

    doctor: () => examineNodes(quorum),
  };
  return ledger;
}

function isStanding(found: {
  record: LedgerRecord | undefined;
}): found is { record: LedgerRecord } {
  return found.record !== undefined;
}
