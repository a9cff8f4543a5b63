import { type Finding, isSendonceError } from '@sendonce/core';
import { reasonOf, type Vote, type Node } from './node.ts';
import { answersOf, type Quorum } from './quorum.ts';

/** What the ledger rests on: that of each node, and that there is a majority of them. */
export async function examineNodes(quorum: Quorum): Promise<readonly Finding[]> {
  const votes = await quorum.poll(async (node: Node) => (await node.ledger.doctor?.()) ?? []);
  const found = votes.flatMap((vote) => {
    if (vote.state === 'silent') return [unreachable(vote)];
    if (vote.state === 'refused') return [];
    return vote.reply.map((finding) => ({
      ...finding,
      found: `${vote.node.name}: ${finding.found}`,
    }));
  });
  try {
    answersOf('doctor', votes);
    return found;
  } catch (error) {
    const remedy = isSendonceError(error, 'SENDONCE_OPTION')
      ? 'Give each node its own server.'
      : 'Start the nodes that are down. Nothing is sent until more than half of them answer.';
    return [...found, { severity: 'error', check: 'majority', found: reasonOf(error), remedy }];
  }
}

function unreachable({ node, reason }: Extract<Vote<unknown>, { state: 'silent' }>): Finding {
  return {
    severity: 'warning',
    check: 'node',
    found: `${node.name} is unreachable (${reason}): one failure less can be survived.`,
    remedy: 'Start it; an empty one is given the records of the others.',
  };
}
