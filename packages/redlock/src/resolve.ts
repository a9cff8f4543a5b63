import type { LedgerRecord, Resolution, ResolveReply } from '@sendonce/core';
import type { Node, Vote } from './node.ts';
import { answersOf, noMajority, type Quorum } from './quorum.ts';
import { strongest } from './strongest.ts';
import { takeBack } from './take-back.ts';

/** What one node made of a verdict. */
interface Resolved {
  readonly resolved: boolean;
  /** What stands there now. */
  readonly record: LedgerRecord | undefined;
}

/**
 * Ends a doubt on a majority. Of "sent" and "not sent" at the same time one is granted, since a single
 * node that has it as sent decides: "sent" needs one that had the doubt still, "not sent" none that says "sent".
 *
 * @param standing what the ledger reads: one node alone may take a sender for silent that is not.
 */
export async function resolveByMajority(
  quorum: Quorum,
  resolution: Resolution,
  standing: LedgerRecord | undefined,
): Promise<ResolveReply> {
  const { verdict } = resolution;
  // The repeat of a "not sent" whose reply was lost.
  if (!standing && verdict === 'not-sent') return { state: 'resolved' };
  if (!standing || !isResolvable(standing, resolution)) {
    return { state: 'not-in-doubt', record: standing };
  }
  const votes = await quorum.poll((node) => resolveOn(node, resolution));
  const answers = answersOf('resolve', votes);
  const granted = answers.filter(({ resolved }) => resolved);
  const against = answers.filter(({ resolved }) => !resolved).filter(isStanding);
  const finished = verdict === 'sent' ? await finishSent() : await finishNotSent();
  if (finished) return finished;
  throw noMajority('resolve', votes, ({ resolved }) => resolved);

  /** Nodes that missed the doubt, or heard its sender meanwhile, shall remember that it is over. */
  async function finishSent(): Promise<ResolveReply | undefined> {
    if (granted.length === 0)
      return { state: 'not-in-doubt', record: strongest(against, quorum.size)?.record };
    const { token, retentionMs } = resolution;
    const sent = granted.find(({ record }) => record?.token === token)?.record ?? standing!;
    const open = votes.filter((vote) => isOpenOn(vote, token)).map(({ node }) => node);
    const settlement = { ...sent, retentionMs, leaseMs: retentionMs, outcome: 'sent' } as const;
    const filled = await quorum.poll(
      async (node) =>
        open.includes(node) && (await node.ledger.settle(settlement)).state === 'settled',
    );
    const count = filled.filter((vote) => vote.state === 'answered' && vote.reply).length;
    return granted.length + count >= quorum.size ? { state: 'resolved' } : undefined;
  }

  async function finishNotSent(): Promise<ResolveReply | undefined> {
    const { key, token } = resolution;
    const sent = against.find(({ record }) => record.token === token && record.state === 'sent');
    if (sent) return { state: 'not-in-doubt', record: sent.record };
    if (granted.length >= quorum.size) {
      // One that heard the sender meanwhile would fall in the same doubt once more.
      const alive = votes.filter((vote) => isOpenOn(vote, token)).map(({ node }) => node);
      if (alive.length > 0) await takeBack(quorum, 'D', { key, token, on: alive });
      return { state: 'resolved' };
    }
    const other = against.length >= quorum.size ? strongest(against, quorum.size) : undefined;
    return other && { state: 'not-in-doubt', record: other.record };
  }
}

async function resolveOn(node: Node, resolution: Resolution): Promise<Resolved> {
  const reply = await node.ledger.resolve(resolution);
  if (reply.state === 'not-in-doubt') return { resolved: false, record: reply.record };
  return { resolved: true, record: await node.ledger.read(resolution.key) };
}

function isResolvable({ token, state }: LedgerRecord, { token: of, verdict }: Resolution): boolean {
  if (token !== of) return false;
  return state === 'in-doubt' || state === (verdict === 'sent' ? 'sent' : 'rejected');
}

function isStanding(found: Resolved): found is Resolved & { readonly record: LedgerRecord } {
  return found.record !== undefined;
}

function isOpenOn(vote: Vote<Resolved>, token: string): boolean {
  if (vote.state !== 'answered' || vote.reply.resolved) return false;
  const { record } = vote.reply;
  return !record || (record.token === token && record.state === 'dispatched');
}
