import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Attempt,
  type ClaimReply,
  LedgerUnavailableError,
  type Loss,
  type SettleReply,
} from '@sendonce/core';
import { cancelByMajority } from './cancel.ts';
import { acquireLock } from './lock.ts';
import { answersOf, noMajority, type Quorum, repliesOf } from './quorum.ts';
import { isFact, mostConclusive, pauseMs } from './most-conclusive.ts';
import { undo } from './undo.ts';

// Rivals that come in the same moment may leave none of them a majority. Five short pauses of
// random length part even 32 of them.
const ROUNDS = 5;

/**
 * Takes the lock of one email on a majority, or says why not and undoes what a minority granted.
 */
export async function claimByMajority(quorum: Quorum, attempt: Attempt): Promise<ClaimReply> {
  for (let round = 1; ; round++) {
    const reply = await claimOnce(quorum, attempt);
    if (reply.state !== 'undecided') return reply;
    if (round === ROUNDS) {
      const { rival } = reply;
      if (rival) return { state: 'busy', record: rival.record, retryAfterMs: pauseMs() };
      throw new LedgerUnavailableError(
        `The nodes took longer to answer than the lease of ${attempt.leaseMs} ms allows. Nothing was sent; ` +
          'it is safe to repeat. Use a longer lease.',
      );
    }
    await sleep(pauseMs());
  }
}

interface Undecided {
  readonly state: 'undecided';
  readonly rival?: Loss;
}

async function claimOnce(quorum: Quorum, attempt: Attempt): Promise<ClaimReply | Undecided> {
  const votes = quorum.ask((node) => node.ledger.claim(attempt));
  const held = await acquireLock(votes, { ...attempt, isFor: ({ state }) => state === 'won' });
  // Of all nodes, not of a majority: what a single one remembers is seen.
  const all = await Promise.all(votes);
  const shown = repliesOf(all).filter((reply) => reply.state !== 'won');
  const refused = all.some(({ state }) => state === 'refused');
  const against = mostConclusive(shown, quorum.size);
  const isRival = against?.record.state === 'claimed';
  if (held && !refused && (!against || isRival)) return { state: 'won' };

  await undo(quorum, 'claimed', attempt);
  answersOf('claim', all);
  if (!against) return { state: 'undecided' };
  if (isFact(against.record)) {
    await makeKnown(quorum, against, { shown, attempt });
    return withAge(against, shown);
  }
  const holder = majorityHolder(shown, quorum.size);
  if (holder) return holder;
  if (isRival) return { state: 'undecided', rival: against };
  // A cancellation that a minority shows may be undecided: it is decided before it is believed.
  return completeCancellation(quorum, against, attempt);
}

/**
 * A caller that reads a doubt gives up. So the doubt must outlive the one node that has it, and is
 * answered only when a majority has it.
 * @throws {LedgerUnavailableError}
 */
async function makeKnown(
  quorum: Quorum,
  { state, record }: Loss,
  { shown, attempt }: { readonly shown: readonly Loss[]; readonly attempt: Attempt },
): Promise<void> {
  const knowing = shown.filter((loss) => loss.record.token === record.token).length;
  if (state !== 'in-doubt' || knowing >= quorum.size) return;
  const { leaseMs, retentionMs } = attempt;
  const { state: _state, atMs: _atMs, ...fields } = record;
  const doubt = { ...fields, leaseMs, retentionMs };
  const votes = await quorum.poll((node) => node.ledger.settle({ ...doubt, outcome: 'in-doubt' }));
  const isKnown = (reply: SettleReply) => reply.state === 'settled';
  if (repliesOf(votes).filter(isKnown).length < quorum.size)
    throw noMajority('claim', votes, isKnown);
}

/** Of a doubt that several nodes show, the time that is longest ago counts: it promises least. */
function withAge(against: Loss, shown: readonly Loss[]): Loss {
  if (against.state !== 'in-doubt') return against;
  const agos = shown.map((loss) => (loss.state === 'in-doubt' ? loss.dispatchedAgoMs : 0));
  return { ...against, dispatchedAgoMs: Math.max(...agos) };
}

/** What a majority shows of one and the same attempt, or cancellation. */
function majorityHolder(shown: readonly Loss[], size: number): Loss | undefined {
  const showing = (token: string) => shown.filter(({ record }) => record.token === token);
  const holder = shown.find(({ record }) => showing(record.token).length >= size);
  return holder && mostConclusive(showing(holder.record.token), size);
}

async function completeCancellation(
  quorum: Quorum,
  loss: Loss,
  { key, retentionMs }: Attempt,
): Promise<Loss> {
  const reply = await cancelByMajority(quorum, { ...loss.record, key, retentionMs });
  if (reply.state === 'cancelled') return loss;
  return { state: 'busy', record: reply.record, retryAfterMs: pauseMs() };
}
