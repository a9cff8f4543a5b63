import { type JournalType, type LedgerRecord, type RecordState } from '@sendonce/core';
import { type FoundEmail, lastLabel, scheduledFor } from '@sendonce/core/inspect';
import { type Html, html, textOr } from './html.ts';
import { timeElement } from './times.ts';

const steps: Readonly<Record<JournalType, string>> = {
  scheduled: 'scheduled',
  rescheduled: 'moved to another time',
  claimed: 'claimed',
  dispatched: 'dispatched',
  sent: 'sent',
  duplicate: 'duplicate prevented',
  busy: 'busy: another attempt holds it',
  'in-doubt': 'in doubt',
  rejected: 'rejected',
  skipped: 'skipped: not sent, on purpose',
  cancelled: 'cancelled',
  conflict: 'conflict: the same key, another payload',
  released: 'released: nothing was sent',
  replayed: 'sent again under the same key of the provider',
  lost: 'lease lost',
  undispatched: 'ended without a dispatch',
  'late-send': 'refused: sent after its processor had ended',
  'different-data': 'its data differs from that of the email that was sent',
  repeated: 'a second request left while it was being sent: was it sent twice?',
  'result-dropped': 'result not kept',
  'partly-refused': 'sent, and some recipients were refused',
  unavailable: 'the ledger did not answer: nothing was sent',
  unrecorded: 'outcome not recorded',
  'resolved-sent': 'resolved: it was sent',
  'resolved-not-sent': 'resolved: it was not sent',
};

/** A step that only a newer version knows is shown by its own name. */
export function describeStep(type: JournalType): string {
  return Object.hasOwn(steps, type) ? steps[type] : type;
}

interface Description {
  readonly name: string;
  readonly sentence: Html | string;
}

const states: Readonly<Record<RecordState, Description>> = {
  claimed: { name: 'claimed', sentence: 'An attempt holds it, and nothing was sent yet.' },
  dispatched: { name: 'sending', sentence: 'It was dispatched, and its sender is alive.' },
  'in-doubt': {
    name: 'in doubt',
    sentence:
      'It was dispatched, and no outcome was recorded. It may have been sent; it is not sent again before a verdict.',
  },
  sent: { name: 'sent', sentence: 'It was sent. Copies of its job complete as duplicates.' },
  rejected: {
    name: 'rejected',
    sentence: 'It was refused permanently: it was not sent.',
  },
  skipped: {
    name: 'skipped',
    sentence: 'It was not sent on purpose, see the note. Nothing prevents a next attempt.',
  },
  cancelled: {
    name: 'cancelled',
    sentence: 'It was cancelled before it was sent. It is not sent.',
  },
};

/** A doubt with {@link LedgerRecord.lateNotSent}. */
const lateNotSent: Description = {
  name: 'in doubt',
  sentence:
    'Its sender found out that nothing was sent, but only after the email was in doubt. The next attempt sends it.',
};

/** Some recipients of a sent email were refused. The page shows the codes as the record's note. */
const partlyRefused: Description = {
  name: 'sent',
  sentence:
    'It was sent, and some of its recipients were refused: they do not get it, and it is not sent to them again.',
};

/** The state of an email in words. */
export function describeState(email: FoundEmail): { badge: Html; sentence: Html | string } {
  const { record } = email;
  const { name, sentence } = record ? describeRecord(record) : describeMissingRecord(email);
  return {
    badge: html`<strong class="badge ${record?.state ?? 'absent'}">${name}</strong>`,
    sentence,
  };
}

function describeRecord({
  state,
  lateNotSent: isLate,
  note,
  resolvedBy,
}: LedgerRecord): Description {
  if (state === 'in-doubt' && isLate) return lateNotSent;
  // The note of a resolved email is why it was in doubt before.
  if (state === 'sent' && note !== undefined && resolvedBy === undefined) return partlyRefused;
  // A state that only a newer version of a store knows is shown by its own name.
  return Object.hasOwn(states, state) ? states[state] : { name: state, sentence: '' };
}

function describeMissingRecord(email: FoundEmail): Description {
  const scheduled = scheduledFor(email);
  if (!scheduled) {
    return {
      name: 'no record',
      sentence:
        'The ledger has no record: it was not claimed yet, was released, was resolved as not sent, or its retention is over.',
    };
  }
  const hint = scheduled.isLate
    ? ', which is past: is a worker running, or was its job removed?'
    : '. No worker has begun with it yet.';
  return {
    name: 'scheduled',
    sentence: html`It is due at ${timeElement(scheduled.dueMs)} UTC${hint}`,
  };
}

/** Who resolved the email, and why. Undefined if neither the journal nor the record says so. */
export function describeResolver({
  record,
  history,
}: Pick<FoundEmail, 'record' | 'history'>): Html | undefined {
  const entry = history.findLast(
    ({ type }) => type === 'resolved-sent' || type === 'resolved-not-sent',
  );
  if (entry) {
    const verdict = entry.type === 'resolved-sent' ? 'it was sent' : 'it was not sent';
    return html`Resolved by ${textOr(entry.by)}:
    ${verdict}${entry.note !== undefined && html` (${textOr(entry.note)})`}.`;
  }
  // Without a journal the record says so, as long as it exists.
  const { resolvedBy } = record ?? {};
  return resolvedBy === undefined ? undefined : html`It was resolved by ${textOr(resolvedBy)}.`;
}

/** The label of an email, or its key. */
export function emailName({ key, history }: Pick<FoundEmail, 'key' | 'history'>): Html {
  const label = lastLabel(history);
  return label === undefined ? html`<code>${key}</code>` : textOr(label);
}

/** For an UnreadableRecordError. */
export function unreadableMessage(key: string): string {
  return `The record of ${key} cannot be read: another program or a newer version wrote it. It was left as it is.`;
}
