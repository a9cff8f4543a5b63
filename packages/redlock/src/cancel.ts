import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Cancellation,
  type CancelReply,
  type LedgerRecord,
  UnreadableRecordError,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { defineScript, encodeFields, placesOf } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import type { Node } from './node.ts';
import { answersOf, noMajority, type Quorum, repliesOf } from './quorum.ts';
import { isFact, pauseMs, strongest } from './strongest.ts';
import { takeBack } from './take-back.ts';

const cancel = defineScript(lua.cancel);

// A dispatch and a cancellation that meet are decided by who has the majority; the other one takes its
// minority back within a few milliseconds. One who died meanwhile does not.
const ROUNDS = 5;

const TRIES = 10;

interface Decision extends Cancellation {
  /** Unix ms, of a cancellation that is only completed. @default now */
  readonly atMs?: number;
}

/** Forbids an email on a majority, or takes the attempt back and says "too late". */
export async function cancelByMajority(
  quorum: Quorum,
  { key, by, retentionMs, atMs }: Decision,
): Promise<CancelReply> {
  const token = createToken();
  const fields = encodeFields(key, by === undefined ? {} : { by });

  async function cancelOn(node: Node): Promise<{ record: LedgerRecord } | undefined> {
    const args = [token, fields, retentionMs, ...(atMs === undefined ? [] : [atMs])];
    for (let tries = 1; tries <= TRIES; tries++) {
      const word = await cancel(node.client, [placesOf(quorum.prefix).record(key)], args);
      if (word === 'unreadable') throw new UnreadableRecordError(key, node.name);
      if (word === 'cancelled') return undefined;
      const record = await node.ledger.read(key);
      if (record) return { record };
      // Given back between the two: nothing was written, so it is no vote.
    }
    throw new Error(`what stood in the way was gone ${TRIES} times when it was read`);
  }

  for (let round = 1; ; round++) {
    const votes = await quorum.poll(cancelOn);
    const replies = repliesOf(votes);
    const standing = replies.filter((reply) => reply !== undefined);
    const facts = standing.filter(({ record }) => isFact(record));
    const decided = replies.length - standing.length >= quorum.size;
    if (decided && facts.length === 0) return { state: 'cancelled' };

    const refused = votes.some(({ state }) => state === 'refused');
    if (facts.length >= quorum.size || refused || round === ROUNDS) {
      // What a majority shows may have been told to another caller: it stays.
      if (!decided) await takeBack(quorum, 'X', { key, token });
      answersOf('cancel', votes);
      const fact = strongest(facts, quorum.size);
      if (fact) return { state: 'too-late', record: fact.record };
      throw noMajority('cancel', votes, (reply) => !reply);
    }
    await sleep(pauseMs());
  }
}
