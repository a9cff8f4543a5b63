import type { JournalType, LedgerRecord } from '@sendonce/core';
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
  if (!scheduled) return describeAbsence(email.history);
  const hint = scheduled.isLate
    ? ', which is past: is a worker running, or was its job removed?'
    : ': no worker has begun with it yet';
  return `scheduled for ${formatTime(scheduled.dueMs)}${hint}`;
}

/** What to do about an email in doubt, with the commands that resolve it. */
export function describeNextStep(key: string): string {
  return [
    'Find out whether it was sent (provider, mail log, customer), then:',
    `  sendonce resolve ${key} --sent`,
    `  sendonce resolve ${key} --not-sent --retry`,
  ].join('\n');
}

/** Why the ledger has no record (any more): the last step that the journal knows says it. */
function describeAbsence(history: FoundEmail['history']): string {
  const last = history.findLast(({ type }) => !OTHER_ATTEMPTS.has(type));
  const reason = last?.note ? ` (${last.note})` : '';
  switch (last?.type) {
    case 'resolved-not-sent':
      return `resolved as not sent${last.by ? ` by ${last.by}` : ''}${reason}: the next attempt sends it`;
    case 'released':
      return `released: its attempt has ended, and nothing was sent${reason}; the next attempt may send it`;
    case 'claimed':
    case 'lost':
      return 'claimed, and its lease is over: nothing was sent; the next attempt may send it';
    case 'sent':
    case 'resolved-sent':
    case 'rejected':
    case 'skipped':
    case 'cancelled': {
      const outcome = last.type === 'resolved-sent' ? 'resolved as sent' : last.type;
      return `${outcome}, and its retention is over: a new attempt would send it`;
    }
    case undefined:
      return 'not in the ledger: released, resolved as not sent, or its retention is over';
    default:
      // The ledger keeps a dispatch until it has an outcome.
      return `not in the ledger, and its last step is ${last!.type}: was the ledger emptied? Run sendonce doctor`;
  }
}

/** Steps that other attempts made, or that changed nothing. */
const OTHER_ATTEMPTS: ReadonlySet<string> = new Set<JournalType>([
  'busy',
  'duplicate',
  'conflict',
  'different-data',
  'repeated',
  'late-send',
  'undispatched',
  'result-dropped',
  'partly-refused',
  'unavailable',
]);

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
        : `in doubt: it was dispatched, and it is unknown whether it was sent${reason}`;
    case 'sent':
      // The note of a resolved email is why it was in doubt before.
      return resolvedBy ? `sent (resolved by ${resolvedBy})` : `sent${reason}`;
    case 'rejected':
      return `rejected permanently by the mail server or provider${reason}`;
    case 'skipped':
      return `skipped: it was not sent on purpose${reason}; the next attempt may send it`;
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
