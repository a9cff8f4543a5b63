import type { Attempt, DispatchReply, Loss } from '@sendonce/core';
import { extendLock } from './lock.ts';
import { answersOf, noMajority, type Quorum } from './quorum.ts';
import { isFact, strongest } from './strongest.ts';

const isDispatched = ({ state }: DispatchReply): boolean => state === 'dispatched';

/** The point of no return on a majority, and nothing that speaks against it on any other node. */
export async function dispatchByMajority(quorum: Quorum, attempt: Attempt): Promise<DispatchReply> {
  const votes = quorum.ask((node) => node.ledger.dispatch(attempt));
  const held = await extendLock(votes, { ...attempt, isFor: isDispatched });
  // Of all nodes, not of a majority: what a single one remembers is seen.
  const all = await Promise.all(votes);
  const answers = answersOf('dispatch', all);
  const losses = answers.filter((reply): reply is Loss => 'record' in reply);
  const facts = losses.filter(({ record }) => isFact(record));
  if (held && facts.length === 0) {
    for (const vote of all) {
      // Whoever missed the claim shall remember the dispatch as well; the email does not wait for it.
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
  await quorum.poll((node) => node.ledger.release(attempt));
  const cancellations = losses.filter(({ state }) => state === 'cancelled').length;
  // A cancellation without majority is undecided: the next claim will know.
  const decided = losses.filter(
    ({ state }) => state !== 'cancelled' || cancellations >= quorum.size,
  );
  return strongest(decided) ?? { state: 'expired' };
}
