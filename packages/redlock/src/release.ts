import type { Attempt, ReleaseReply } from '@sendonce/core';
import type { Vote } from './node.ts';
import { answersOf, noMajority, type Quorum, repliesOf } from './quorum.ts';
import { undo } from './undo.ts';

/** Gives back a claim on a majority, and then on all nodes. */
export async function releaseByMajority(
  quorum: Quorum,
  { key, token }: Pick<Attempt, 'key' | 'token'>,
): Promise<ReleaseReply> {
  const votes = await quorum.poll((node) => node.ledger.release({ key, token }));
  const answers = answersOf('release', votes);
  const count = (state: ReleaseReply['state']) =>
    answers.filter((reply) => reply.state === state).length;
  if (count('lost') >= quorum.size) return { state: 'lost' };
  if (count('released') >= quorum.size) {
    return (await isSentOnTheRest()) ? { state: 'lost' } : { state: 'released' };
  }
  const isDoubt = count('in-doubt') > 0 && count('released') + count('in-doubt') >= quorum.size;
  if (isDoubt) return { state: 'in-doubt' };
  throw noMajority('release', votes, ({ state }) => state === 'released');

  /**
   * A node that missed heartbeats holds a doubt which the majority does not know. It goes as well,
   * unless it was resolved as "sent" a moment ago: only one of the two may be granted.
   */
  async function isSentOnTheRest(): Promise<boolean> {
    const rest = votes.filter(isAnsweredOtherwise).map(({ node }) => node);
    if (rest.length === 0) return false;
    await undo(quorum, 'dispatched', { key, token, on: rest });
    const reads = await quorum.poll(async (node) =>
      rest.includes(node) ? node.ledger.read(key) : undefined,
    );
    return repliesOf(reads).some((record) => record?.token === token && record.state === 'sent');
  }
}

function isAnsweredOtherwise(vote: Vote<ReleaseReply>): boolean {
  return vote.state === 'answered' && vote.reply.state !== 'released';
}
