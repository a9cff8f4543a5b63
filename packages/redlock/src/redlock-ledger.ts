import {
  type HeartbeatReply,
  type Ledger,
  LedgerUnavailableError,
  type LedgerRecord,
} from '@sendonce/core';
import { checkNames, checkTimer, listRecords, type OptionNames } from '@sendonce/core/ledger';
import type { RedisClient } from '@sendonce/redis';
import { cancelByMajority } from './cancel.ts';
import { claimByMajority } from './claim.ts';
import { dispatchByMajority } from './dispatch.ts';
import { examineNodes } from './doctor.ts';
import { extendLock } from './lock.ts';
import { createNodes } from './create-nodes.ts';
import { createNodeSync } from './node-sync.ts';
import { openKeys } from './open-keys.ts';
import { answersOf, createQuorum, noMajority } from './quorum.ts';
import { releaseByMajority } from './release.ts';
import { resolveByMajority } from './resolve.ts';
import { settleByMajority } from './settle.ts';
import { mostConclusive } from './most-conclusive.ts';

/** The options of {@link redlockLedger}. */
export interface RedlockLedgerOptions {
  /**
   * Begins every key in Redis.
   * @default 'sendonce'
   */
  readonly prefix?: string | undefined;
  /**
   * How long a node may take to answer, in milliseconds; then it counts as unreachable for this
   * verb.
   * @default 500
   */
  readonly answerWithinMs?: number | undefined;
}

const OPTION_NAMES: OptionNames<RedlockLedgerOptions> = { prefix: true, answerWithinMs: true };

/**
 * The ledger on an odd number of independent Redis servers: redlock as the lease, the same record
 * on a majority of them as the memory. An email is never sent twice and never dropped silently,
 * while at any moment no more than a minority of the nodes is down, frozen, cut off, or restarted
 * with or without its data. With a majority gone nothing is sent and nothing is lost. A sender that
 * dies between dispatch and settle leaves its email in doubt, listed for you to resolve.
 *
 * @param clients one ioredis client for each node, three or more, an odd number. They stay yours.
 * @throws {OptionError} for an even number, the same client twice, a Cluster, a client with
 *   keyPrefix. Two clients of one server are found by the first verb, which throws it then.
 * @example const ledger = redlockLedger([new Redis(urlA), new Redis(urlB), new Redis(urlC)])
 */
export function redlockLedger(
  clients: readonly RedisClient[],
  options: RedlockLedgerOptions = {},
): Ledger {
  checkNames('redlockLedger()', options, OPTION_NAMES);
  const { prefix = 'sendonce', answerWithinMs = 500 } = options;
  checkTimer('answerWithinMs', answerWithinMs);
  const nodes = createNodes(clients, prefix);
  const sync = createNodeSync(nodes, prefix, answerWithinMs);
  const quorum = createQuorum(nodes, sync, { prefix, answerWithinMs });

  const ledger: Ledger = {
    answerWithinMs: options.answerWithinMs,

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
          const isLost = (replies: readonly HeartbeatReply[]) => replies[index] === 'lost';
          if (answers.filter(isLost).length >= quorum.size) return 'lost';
          throw noMajority('heartbeat', await Promise.all(votes), isFor);
        }),
      );
    },

    async read(key) {
      const votes = await quorum.poll(async (node) => ({ record: await node.ledger.read(key) }));
      return mostConclusive(answersOf('read', votes).filter(hasRecord), quorum.size)?.record;
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

function hasRecord(found: { record: LedgerRecord | undefined }): found is { record: LedgerRecord } {
  return found.record !== undefined;
}
