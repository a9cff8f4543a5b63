import { LedgerUnavailableError, SendonceError } from '@sendonce/core';
import { type Node, type Vote, voteOf } from './node.ts';
import type { NodeSync } from './node-sync.ts';

/** The nodes of a ledger, to be asked together. */
export interface Quorum {
  /** How many are a majority. */
  readonly size: number;
  /** Begins every key on them. */
  readonly prefix: string;
  /** Asks every node the same; one vote for each, in their order. */
  ask<T>(question: (node: Node) => Promise<T>): Promise<Vote<T>>[];
  /** The same, and waits for all votes. */
  poll<T>(question: (node: Node) => Promise<T>): Promise<Vote<T>[]>;
}

export function majorityOf(nodes: readonly unknown[]): number {
  return Math.floor(nodes.length / 2) + 1;
}

/**
 * A node is asked again if its answer came from a server that restarted and was resynced since. A
 * node that let an earlier deadline pass is not waited for, unless a majority needs it.
 */
export function createQuorum(
  nodes: readonly Node[],
  sync: NodeSync,
  { prefix, answerWithinMs }: { readonly prefix: string; readonly answerWithinMs: number },
): Quorum {
  const size = majorityOf(nodes);

  async function answerOf<T>(node: Node, question: (node: Node) => Promise<T>): Promise<T> {
    const reply = await question(node);
    if (await sync.isInSync(node)) return reply;
    await sync.resync();
    const again = await question(node);
    if (await sync.isInSync(node)) return again;
    throw new Error(
      'it was started, and does not vote before it has been given the records of the others; if no ' +
        'majority has them, as at the first start, all nodes must be reachable',
    );
  }

  function ask<T>(question: (node: Node) => Promise<T>): Promise<Vote<T>>[] {
    const trusted = nodes.filter(({ suspect }) => !suspect).length;
    return nodes.map((node) => {
      const impatient = node.suspect && trusted >= size;
      return voteOf(node, answerOf(node, question), impatient ? 0 : answerWithinMs);
    });
  }

  return { size, prefix, ask, poll: (question) => Promise.all(ask(question)) };
}

/**
 * How one node voted on one verb.
 * See {@link QuorumError}.
 */
export interface NodeVote {
  /** `host:port` if the client has them, never more of a URL. */
  readonly node: string;
  /** `unreachable`: no answer in time. Whether the node executed the verb is unknown. */
  readonly vote: 'for' | 'against' | 'unreachable';
  /** Why it is unreachable, in the words of the client. */
  readonly reason?: string | undefined;
}

/** Why there was no majority: the `cause` of the {@link LedgerUnavailableError}. */
export class QuorumError extends SendonceError {
  override readonly name = 'QuorumError';
  /** How each node voted. */
  readonly votes: readonly NodeVote[];

  constructor(verb: string, votes: readonly NodeVote[]) {
    const list = votes.map(
      ({ node, vote, reason }) => `${node} ${vote}${reason ? ` (${reason})` : ''}`,
    );
    super('SENDONCE_QUORUM', 'no', `No majority for ${verb}: ${list.join(', ')}.`);
    this.votes = votes;
  }
}

/** "No majority answered"; `isFor` says which answers were votes for the verb. */
export function noMajority<T>(
  verb: string,
  votes: readonly Vote<T>[],
  isFor: (reply: T) => boolean = () => true,
): LedgerUnavailableError {
  const cause = new QuorumError(
    verb,
    votes.map((vote): NodeVote => {
      const node = vote.node.name;
      if (vote.state === 'silent') return { node, vote: 'unreachable', reason: vote.reason };
      return { node, vote: vote.state === 'answered' && isFor(vote.reply) ? 'for' : 'against' };
    }),
  );
  return new LedgerUnavailableError(
    `${cause.message} Whether it was executed is unknown; it is safe to repeat. Check that more than ` +
      'half of the Redis nodes are up and accept writes.',
    cause,
  );
}

/** The replies of the nodes that answered, even if they are a minority. */
export function repliesOf<T>(votes: readonly Vote<T>[]): T[] {
  return votes.flatMap((vote) => (vote.state === 'answered' ? [vote.reply] : []));
}

/**
 * The answers of at least a majority.
 * @throws {UnreadableRecordError} when one node has a record that cannot be read: it may be a fact.
 * @throws {OptionError} @throws {LedgerUnavailableError}
 */
export function answersOf<T>(verb: string, votes: readonly Vote<T>[]): T[] {
  for (const vote of votes) if (vote.state === 'refused') throw vote.error;
  const answers = repliesOf(votes);
  if (answers.length < majorityOf(votes)) throw noMajority(verb, votes);
  return answers;
}
