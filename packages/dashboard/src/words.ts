import { type JournalType, type RecordState } from '@sendonce/core';
import { labelOf, type FoundEmail, scheduledFor } from '@sendonce/core/inspect';
import { type Html, html, said } from './html.ts';
import { timeOf } from './times.ts';

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
  cancelled: 'cancelled',
  conflict: 'conflict: the same key, another payload',
  released: 'given back: nothing was sent',
  replayed: 'sent again under the same key of the provider',
  lost: 'lease lost',
  undispatched: 'sent without dispatch',
  unrecorded: 'outcome not recorded',
  'resolved-sent': 'resolved: it was sent',
  'resolved-not-sent': 'resolved: it was not sent',
};

/** A step of a newer version is told by its own name. */
export function stepWords(type: JournalType): string {
  return Object.hasOwn(steps, type) ? steps[type] : type;
}

const states: Readonly<Record<RecordState, readonly [name: string, sentence: string]>> = {
  claimed: ['claimed', 'An attempt holds it, and nothing was sent yet.'],
  dispatched: ['sending', 'It was dispatched, and its sender is alive.'],
  'in-doubt': [
    'in doubt',
    'It was dispatched, and no outcome was recorded. It may have left; it is not sent again before a verdict.',
  ],
  sent: ['sent', 'It was sent. Copies of its job complete as duplicates.'],
  rejected: ['rejected', 'It was refused for good: it did not leave.'],
  cancelled: ['cancelled', 'It was cancelled before it left, and is not sent.'],
};

export function stateWords(found: FoundEmail): { badge: Html; sentence: Html | string } {
  const { record } = found;
  const [name, sentence] = (record && states[record.state]) ?? wordsWithoutRecord(found);
  return {
    badge: html`<strong class="badge ${record?.state ?? 'absent'}">${name}</strong>`,
    sentence,
  };
}

function wordsWithoutRecord(found: FoundEmail): readonly [name: string, sentence: Html | string] {
  const scheduled = scheduledFor(found);
  if (!scheduled) {
    return [
      'no record',
      'The ledger has no record: it was not claimed yet, was given back, was resolved as not sent, or its retention is over.',
    ];
  }
  const why = scheduled.isLate
    ? ', which is past: is a worker running, or was its job removed?'
    : '. No worker has begun with it yet.';
  return ['scheduled', html`It is due at ${timeOf(scheduled.dueMs)} UTC${why}`];
}

/** 1,234 */
export function numberOf(count: number): string {
  return count.toLocaleString('en');
}

/** "1 email", "2 emails" */
export function emails(count: number): string {
  return `${numberOf(count)} ${count === 1 ? 'email' : 'emails'}`;
}

/** What people call it, or else its key. */
export function nameOfEmail({ key, history }: Pick<FoundEmail, 'key' | 'history'>): Html {
  const label = labelOf(history);
  return label === undefined ? html`<code>${key}</code>` : said(label);
}

/** What another program, or a newer version, wrote under a key. */
export function unreadableWords(key: string): string {
  return `The record of ${key} cannot be read: another program or a newer version wrote it. It was left as it is.`;
}
