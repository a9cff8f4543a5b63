import type { LedgerRecord, Resolution, ResolveReply } from '@sendonce/core';
import { pasteOutcome } from './copy-records.ts';
import { mostConclusive } from './most-conclusive.ts';
import type { Node, Vote } from './node.ts';
import { answersOf, noMajority, type Quorum } from './quorum.ts';
import { undo } from './undo.ts';

/** What one node made of a verdict. */
interface Resolved {
  readonly resolved: boolean;
  /** What exists there now. */
  readonly record: LedgerRecord | undefined;
}

/**
 * Ends a doubt on a majority. Of "sent" and "not sent" at the same time one is granted, since a
 * single node that has it as sent decides: "sent" needs one node that still had the doubt, "not
 * sent" needs none that has it as sent.
 *
 * @param existing what the ledger reads: one node alone may take a sender for silent that is not.
 */
export async function resolveByMajority(
  quorum: Quorum,
  resolution: Resolution,
  existing: LedgerRecord | undefined,
): Promise<ResolveReply> {
  const { verdict } = resolution;
  // The repeat of a "not sent" whose reply was lost.
  if (!existing && verdict === 'not-sent') return { state: 'resolved' };
  if (!existing || !isResolvable(existing, resolution)) {
    return { state: 'not-in-doubt', record: existing };
  }
  const votes = await quorum.poll((node) => resolveOn(node, resolution));
  const answers = answersOf('resolve', votes);
  const granted = answers.filter(({ resolved }) => resolved);
  const against = answers.filter(({ resolved }) => !resolved).filter(hasRecord);
  const finished = verdict === 'sent' ? await finishSent() : await finishNotSent();
  if (finished) return finished;
  throw noMajority('resolve', votes, ({ resolved }) => resolved);

  /** Nodes that missed the doubt, or received a heartbeat meanwhile, get the outcome, too. */
  async function finishSent(): Promise<ResolveReply | undefined> {
    if (granted.length === 0)
      return { state: 'not-in-doubt', record: mostConclusive(against, quorum.size)?.record };
    const { token, retentionMs } = resolution;
    const { lateNotSent: _, ...kept } = existing!;
    const resolved = { ...kept, state: 'sent', resolvedBy: resolution.by } as const;
    const sent = granted.find(({ record }) => record?.token === token)?.record ?? resolved;
    const open = votes.filter((vote) => isOpenOn(vote, token)).map(({ node }) => node);
    const { prefix } = quorum;
    // As a record and not by settle(), which has no place for who resolved it.
    const filled = await quorum.poll(
      async (node) => open.includes(node) && pasteOutcome(node, sent, { prefix, retentionMs }),
    );
    const count = filled.filter((vote) => vote.state === 'answered' && vote.reply).length;
    return granted.length + count >= quorum.size ? { state: 'resolved' } : undefined;
  }

  async function finishNotSent(): Promise<ResolveReply | undefined> {
    const { key, token } = resolution;
    const sent = against.find(({ record }) => record.token === token && record.state === 'sent');
    if (sent) return { state: 'not-in-doubt', record: sent.record };
    if (granted.length >= quorum.size) {
      // A node that received a heartbeat meanwhile would be in the same doubt once more.
      const alive = votes.filter((vote) => isOpenOn(vote, token)).map(({ node }) => node);
      if (alive.length > 0) await undo(quorum, 'dispatched', { key, token, on: alive });
      return { state: 'resolved' };
    }
    const other = against.length >= quorum.size ? mostConclusive(against, quorum.size) : undefined;
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

function hasRecord(found: Resolved): found is Resolved & { readonly record: LedgerRecord } {
  return found.record !== undefined;
}

function isOpenOn(vote: Vote<Resolved>, token: string): boolean {
  if (vote.state !== 'answered' || vote.reply.resolved) return false;
  const { record } = vote.reply;
  return !record || (record.token === token && record.state === 'dispatched');
}
