import type { Settlement, SettleReply } from '@sendonce/core';
import { answersOf, noMajority, type Quorum } from './quorum.ts';
import { mostConclusive } from './most-conclusive.ts';
import { undo } from './undo.ts';

/** Records the outcome on a majority, or undoes it and answers with the record that exists. */
export async function settleByMajority(
  quorum: Quorum,
  settlement: Settlement,
): Promise<SettleReply> {
  const votes = await quorum.poll((node) => node.ledger.settle(settlement));
  const answers = answersOf('settle', votes);
  const lost = answers.filter((reply) => reply.state === 'lost');
  if (answers.length - lost.length >= quorum.size) return { state: 'settled' };
  const other = mostConclusive(lost, quorum.size);
  if (!other || lost.length < quorum.size) {
    throw noMajority('settle', votes, ({ state }) => state === 'settled');
  }
  // "Lost" says that nothing changed; one node's "sent" would outweigh the winner. A node that is
  // silent may have written it, or will: this comes to it afterwards.
  const written = votes.filter((vote) => vote.state !== 'answered' || vote.reply.state !== 'lost');
  const { key, token, outcome } = settlement;
  await undo(quorum, outcome, { key, token, on: written.map(({ node }) => node) });
  return other;
}
