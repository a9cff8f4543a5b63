import { type JournalEntry, type RecordState } from '@sendonce/core';
import { type FoundEmail, scheduledFor } from '@sendonce/core/inspect';
import type { Terminal } from './terminal.ts';

/** A moment, for people and scripts: UTC, to the second. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** A length of time in its two largest units: `2 h 10 min`. */
export function lengthOfTime(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const;
  const parts: string[] = [];
  let left = ms;
  for (const [name, unit] of units) {
    const count = Math.floor(left / unit);
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`);
    left -= count * unit;
  }
  return parts.join(' ');
}

/** What the state of an email means for the customer. */
export function inWords(found: FoundEmail): string {
  const scheduled = scheduledFor(found);
  if (scheduled) {
    const why = scheduled.isLate
      ? ', which is past: is a worker running, or was its job removed?'
      : ': no worker has begun with it yet';
    return `scheduled for ${moment(scheduled.dueMs)}${why}`;
  }
  if (!found.record)
    return 'not in the ledger: given back, resolved as not sent, or its retention is over';
  const { state, note } = found.record;
  const why = note ? ` (${note})` : '';
  const words: Record<RecordState, string> = {
    claimed: 'claimed: an attempt prepares it; nothing has been sent yet',
    dispatched: 'dispatched: it is being sent now',
    'in-doubt': `in doubt: it was dispatched, and nobody knows whether it left${why}`,
    sent: `sent${why}`,
    rejected: `rejected for good by the mail server or provider${why}`,
    cancelled: 'cancelled: it will not be sent',
  };
  return words[state];
}

/** The colour of a state or a step. */
export function colourOf(state: string, paint: Terminal['paint']): (text: string) => string {
  switch (state.split(' ')[0]) {
    case 'sent':
    case 'resolved-sent':
      return paint.green;
    case 'in-doubt':
    case 'unrecorded':
    case 'lost':
      return paint.yellow;
    case 'rejected':
    case 'conflict':
      return paint.red;
    default:
      return (text) => text;
  }
}

/** The process that had it last. */
export function workerIn(history: readonly JournalEntry[], by: string | undefined): string {
  return history.findLast((entry) => entry.worker !== undefined && entry.by === by)?.worker ?? '';
}
