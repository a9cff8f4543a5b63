import type { LedgerRecord } from '@sendonce/core';
import {
  describeCause,
  findWorker,
  formatDuration,
  lastLabel,
  listAtMost,
  matchesFilter,
  senderOf,
} from '@sendonce/core/inspect';
import type { Backend } from '../backend.ts';
import type { Command } from '../command.ts';
import { filterOptions, listFilters, readFilter } from '../doubt-filter.ts';
import { describeNextStep } from '../describe-email.ts';
import { toJson } from '../json.ts';
import { findNothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { reportError } from '../report-error.ts';
import { renderTable } from '../table.ts';
import { exitCodes, type Terminal } from '../terminal.ts';
import { wrap } from '../wrap.ts';
import { unreadableJson } from './status.ts';

/** A person does not read more lines at once. --json has all of them. */
const MAX_SHOWN = 200;

/** So many are resolved one by one. */
const FEW = 5;
const MANY_HINT =
  'Many with the same answer: sendonce resolve --all --note <why>, and --sent, or --not-sent --retry';

export const doubts: Command = {
  name: 'doubts',
  summary: 'the emails that may or may not have been sent, oldest first',
  details: 'Exit code 1 while there are any.',
  options: filterOptions,
  async run(commandLine, terminal, openBackend) {
    const { json } = commandLine;
    const filter = readFilter(commandLine);
    const isFiltered = listFilters(commandLine).length > 0;
    const backend = await openBackend();
    const { ledger, journal } = backend;
    const listed = await listAtMost(ledger, 'in-doubt');
    const { unreadable } = listed;
    const records = listed.records.filter((record) => matchesFilter(record, filter));
    const shown = records.slice(0, json ? undefined : MAX_SHOWN);
    const emails = await Promise.all(shown.map((record) => loadDoubt(record, journal)));
    const isNone = emails.length === 0 && unreadable === undefined;
    const nothingKnown = isNone ? await findNothingKnown(backend) : undefined;
    if (json)
      terminal.out(toJson({ doubts: emails, nothingKnown, ...unreadableJson({ unreadable }) }));
    else if (nothingKnown) return reportNothingKnown(nothingKnown, terminal);
    else if (isNone)
      terminal.out(isFiltered ? 'No email in doubt matches.' : 'No email is in doubt.');
    else if (emails.length === 0) terminal.out('No email that can be read is in doubt.');
    else {
      terminal.out(renderDoubts(emails, terminal));
      const more = records.length - shown.length;
      if (more > 0) terminal.out(`and ${more} more`);
      // On the same stream as the table: two streams would arrive in any order.
      terminal.out(`\n${wrap(describeNextStep('<key>'), terminal)}`);
      if (emails.length > FEW) terminal.out(wrap(MANY_HINT, terminal));
    }
    if (unreadable) return reportError(unreadable, terminal);
    if (nothingKnown) return exitCodes.nothingKnown;
    return records.length > 0 ? exitCodes.no : exitCodes.ok;
  },
};

/** The record, and what the journal knows about the email. */
export interface Doubt extends LedgerRecord {
  readonly label: string;
  readonly worker: string;
}

export async function loadDoubt(record: LedgerRecord, journal: Backend['journal']): Promise<Doubt> {
  const history = (await journal?.history(record.key)) ?? [];
  const worker = findWorker(record, history) ?? '';
  return { ...record, label: lastLabel(history) ?? '', worker };
}

export function renderDoubts(emails: readonly Doubt[], terminal: Terminal): string {
  const columns = [
    { title: 'for', right: true },
    { title: 'label', mayShrink: true },
    { title: 'job', mayShrink: true },
    { title: 'worker', mayShrink: true },
    { title: 'why', mayShrink: true },
    { title: 'key' },
  ];
  const rows = emails.map((email) => [
    formatDuration(Date.now() - email.atMs),
    email.label,
    senderOf(email),
    email.worker,
    describeCause(email),
    email.key,
  ]);
  return renderTable(columns, rows, terminal);
}
