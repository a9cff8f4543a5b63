import type { Attempt, DispatchReply, Loss } from '@sendonce/core';
import { extendLock } from './lock.ts';
import { answersOf, noMajority, type Quorum } from './quorum.ts';
import { isFact, mostConclusive } from './most-conclusive.ts';
import { undo } from './undo.ts';

const isDispatched = ({ state }: DispatchReply): boolean => state === 'dispatched';

/** The point of no return on a majority, with nothing that speaks against it on any other node. */
export async function dispatchByMajority(quorum: Quorum, attempt: Attempt): Promise<DispatchReply> {
  const votes = quorum.ask((node) => node.ledger.dispatch(attempt));
  const held = await extendLock(votes, { ...attempt, isFor: isDispatched });
  // Of all nodes, not of a majority: what a single one remembers is seen.
  const all = await Promise.all(votes);
  const answers = answersOf('dispatch', all);
  const losses = answers.filter((reply): reply is Loss => 'record' in reply);
  // A node that missed heartbeats may hold its own dispatch for a doubt: that does not speak
  // against it.
  const facts = losses.filter(({ record }) => isFact(record) && record.token !== attempt.token);
  if (held && facts.length === 0) {
    for (const vote of all) {
      // A node that missed the claim shall have the dispatch as well; the email does not wait for
      // it.
      if (vote.state !== 'answered' || vote.reply.state !== 'expired') continue;
      vote.node.ledger.claim({ ...attempt, dispatched: true }).catch(() => {});
    }
    return { state: 'dispatched' };
  }
  const silent = all.length - answers.length;
  if (facts.length === 0 && answers.filter(isDispatched).length + silent >= quorum.size) {
    // Those that are silent may have dispatched: it stays, and asking again finds it.
    throw noMajority('dispatch', all, isDispatched);
  }
  // If another attempt holds the record, callers learn of that one. A slow node may have let the
  // mark run out.
  const written = all.filter((vote) => vote.state !== 'answered' || isDispatched(vote.reply));
  const on = written.map(({ node }) => node);
  await undo(quorum, 'dispatched', { ...attempt, on, leaveDoubts: facts.length === 0 });
  const cancellations = losses.filter(({ state }) => state === 'cancelled').length;
  // A cancellation without majority is undecided: the next claim will know.
  const decided = losses.filter(
    ({ state }) => state !== 'cancelled' || cancellations >= quorum.size,
  );
  return mostConclusive(decided, quorum.size) ?? { state: 'expired' };
}
