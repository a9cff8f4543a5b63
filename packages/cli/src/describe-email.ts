import { type LedgerRecord } from '@sendonce/core';
import { type FoundEmail, scheduledFor } from '@sendonce/core/inspect';
import type { Terminal } from './terminal.ts';

/** A time in UTC, to the second: `2026-11-28 22:38:55Z`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** The state of an email in words. */
export function describeState(email: FoundEmail): string {
  if (email.record) return describeRecord(email.record);
  const scheduled = scheduledFor(email);
  if (!scheduled) {
    return 'not in the ledger: released, resolved as not sent, or its retention is over';
  }
  const hint = scheduled.isLate
    ? ', which is past: is a worker running, or was its job removed?'
    : ': no worker has begun with it yet';
  return `scheduled for ${formatTime(scheduled.dueMs)}${hint}`;
}

function describeRecord({ state, note, resolvedBy, lateNotSent }: LedgerRecord): string {
  const reason = note ? ` (${note})` : '';
  switch (state) {
    case 'claimed':
      return 'claimed: an attempt prepares it; nothing has been sent yet';
    case 'dispatched':
      return 'dispatched: it is being sent now';
    case 'in-doubt':
      return lateNotSent
        ? `in doubt, but not sent: its sender found out too late that nothing was sent; the next attempt sends it${reason}`
        : `in doubt: it was dispatched, and nobody knows whether it left${reason}`;
    case 'sent':
      // The note of a sent email is why it was in doubt before.
      return resolvedBy ? `sent (resolved by ${resolvedBy})` : 'sent';
    case 'rejected':
      return `rejected for good by the mail server or provider${reason}`;
    case 'skipped':
      return `skipped: its processor decided not to send it${reason}; the next attempt may`;
    case 'cancelled':
      return 'cancelled: it will not be sent';
  }
}

/** The colour of a state or a step. */
export function colourFor(state: string, paint: Terminal['paint']): (text: string) => string {
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
