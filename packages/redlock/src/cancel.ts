import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancellation, CancelReply, LedgerRecord } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import {
  placesOf,
  defineScript,
  encodeFields,
  recordLua,
  unreadableRecord,
} from '@sendonce/redis/internal';
import * as lua from './generated/scripts.ts';
import type { Node } from './node.ts';
import { answersOf, noMajority, type Quorum, repliesOf } from './quorum.ts';
import { isFact, mostConclusive, pauseMs } from './most-conclusive.ts';
import { undo } from './undo.ts';

const cancel = defineScript(recordLua + lua.cancel);

// A dispatch and a cancellation that meet are decided by who has the majority; the other one undoes
// its minority within a few milliseconds. One that died meanwhile does not.
const ROUNDS = 5;

const TRIES = 10;

interface Decision extends Cancellation {
  /** Unix ms, of a cancellation that is only completed. @default now */
  readonly atMs?: number;
}

/** Forbids an email on a majority, or undoes it and says "too late". */
export async function cancelByMajority(
  quorum: Quorum,
  { key, by, retentionMs, atMs }: Decision,
): Promise<CancelReply> {
  const token = createToken();
  const fields = encodeFields({ by });

  async function cancelOn(node: Node): Promise<{ record: LedgerRecord } | undefined> {
    const args = [token, fields, retentionMs, ...(atMs === undefined ? [] : [atMs])];
    for (let tries = 1; tries <= TRIES; tries++) {
      const place = placesOf(quorum.prefix).record(key);
      const reply = await cancel(node.client, [place], args);
      if (Array.isArray(reply)) {
        throw unreadableRecord(key, `${node.name}, ${place}`, String(reply[1]));
      }
      if (reply === 'cancelled') return undefined;
      const record = await node.ledger.read(key);
      if (record) return { record };
      // Released between the two: nothing was written, so it is no vote.
    }
    throw new Error(`the record in the way was gone ${TRIES} times when it was read`);
  }

  for (let round = 1; ; round++) {
    const votes = await quorum.poll(cancelOn);
    const replies = repliesOf(votes);
    const existing = replies.filter((reply) => reply !== undefined);
    const facts = existing.filter(({ record }) => isFact(record));
    const decided = replies.length - existing.length >= quorum.size;
    if (decided && facts.length === 0) return { state: 'cancelled' };

    const refused = votes.some(({ state }) => state === 'refused');
    if (facts.length >= quorum.size || refused || round === ROUNDS) {
      // Another caller may have read what a majority shows: it stays.
      if (!decided) await undo(quorum, 'cancelled', { key, token });
      answersOf('cancel', votes);
      const fact = mostConclusive(facts, quorum.size);
      if (fact) return { state: 'too-late', record: fact.record };
      throw noMajority('cancel', votes, (reply) => !reply);
    }
    await sleep(pauseMs());
  }
}
