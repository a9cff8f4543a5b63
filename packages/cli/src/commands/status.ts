import { type JournalType } from '@sendonce/core';
import { formatDuration, type Overview, overviewOf } from '@sendonce/core/inspect';
import { DAY_MS } from '@sendonce/core/ledger';
import type { Backend } from '../backend.ts';
import type { Command } from '../command.ts';
import { toJson } from '../json.ts';
import { findNothingKnown, type NothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { reportError, toErrorJson } from '../report-error.ts';
import { type Counts, startOfTodayMs, sumCounts } from '../sum-counts.ts';
import { renderTable } from '../table.ts';
import { exitCodes, stripControls, type Terminal } from '../terminal.ts';
import { wrap } from '../wrap.ts';

export const status: Command = {
  name: 'status',
  summary: 'how many were sent, prevented, rejected; what is open, what is in doubt',
  details:
    'Exit code 1 while emails are in doubt, and 3 if a record cannot be read; the others are shown.',
  async run({ json }, terminal, openBackend) {
    const backend = await openBackend();
    const loaded = await loadStatus(backend);
    const nothingKnown = await findNothingCounted(loaded, backend);
    if (nothingKnown && !json) return reportNothingKnown(nothingKnown, terminal);
    terminal.out(
      json
        ? toJson({ ...statusJson(loaded), nothingKnown, ...unreadableJson(loaded) })
        : renderStatus(loaded, backend, terminal),
    );
    if (loaded.unreadable) return reportError(loaded.unreadable, terminal);
    if (nothingKnown) return exitCodes.nothingKnown;
    return loaded.inDoubt.length > 0 ? exitCodes.no : exitCodes.ok;
  },
};

export interface Status extends Overview {
  readonly today: Counts;
  readonly week: Counts;
}

export async function loadStatus(backend: Backend): Promise<Status> {
  const nowMs = Date.now();
  const overview = await overviewOf(backend, { sinceMs: nowMs - 7 * DAY_MS });
  const hours = overview.hours ?? [];
  return {
    ...overview,
    today: sumCounts(hours, startOfTodayMs(nowMs)),
    week: sumCounts(hours, 0),
  };
}

/** Only where all is zero, the stores are asked whether they have anything. */
export async function findNothingCounted(
  status: Status,
  backend: Backend,
): Promise<NothingKnown | undefined> {
  return hasCounted(status) ? undefined : findNothingKnown(backend);
}

/** Whether any email is open, or was counted. */
export function hasCounted({ sending, inDoubt, unreadable, hours }: Status): boolean {
  return sending + inDoubt.length > 0 || unreadable !== undefined || (hours ?? []).length > 0;
}

/** The records that can be read are shown, and the error beside them. */
export function unreadableJson({ unreadable }: Pick<Overview, 'unreadable'>) {
  return unreadable && { error: toErrorJson(unreadable) };
}

/** Without a journal there are no counts. */
function statusJson({ sending, inDoubt, more, unreadable, hours, today, week }: Status) {
  const open = { sending, inDoubt: inDoubt.length, more, unreadable: unreadable?.key };
  return { ...open, ...(hours && { today, week }) };
}

const rows: readonly [string, readonly JournalType[]][] = [
  ['scheduled', ['scheduled']],
  ['sent', ['sent']],
  ['duplicates prevented', ['duplicate']],
  ['busy, came back later', ['busy']],
  ['rejected', ['rejected']],
  ['skipped', ['skipped']],
  ['cancelled', ['cancelled']],
  ['conflicts', ['conflict']],
  ['in doubt', ['in-doubt']],
  ['resolved', ['resolved-sent', 'resolved-not-sent']],
  ['waited for the ledger', ['unavailable']],
  ['not recorded', ['unrecorded']],
];

export function renderStatus(
  loaded: Status,
  backend: Pick<Backend, 'location' | 'journalLocation'>,
  terminal: Terminal,
): string {
  const title = terminal.paint.bold(wrap(stripControls(backend.location), terminal));
  const lines = [title, '', ...renderOpenEmails(loaded, terminal), ''];
  const hint = explainMissingCounts(loaded, backend);
  if (hint !== undefined) return [...lines, wrap(`  ${hint}`, terminal)].join('\n');
  const count = (counts: Counts, types: readonly JournalType[]) =>
    types.reduce((sum, type) => sum + (counts[type] ?? 0), 0).toLocaleString('en');
  const counted = renderTable(
    [{ title: '' }, { title: 'today', right: true }, { title: '7 days', right: true }],
    rows.map(([name, types]) => [name, count(loaded.today, types), count(loaded.week, types)]),
    terminal,
  );
  return [...lines, counted.replaceAll(/^/gm, '  ')].join('\n');
}

/** Zeros would look as if no email had been sent. */
function explainMissingCounts(
  { hours }: Status,
  { journalLocation }: Pick<Backend, 'journalLocation'>,
): string | undefined {
  if (hours && hours.length > 0) return undefined;
  const option = 'once(processor, { journal: redisJournal(client), … })';
  if (!hours) return `Sent and prevented emails are counted by a journal: ${option}.`;
  const at = journalLocation === undefined ? '' : ` at ${journalLocation}`;
  return (
    `The journal${at} has counted nothing in 7 days. If emails were sent, check --journal and ` +
    `--prefix, and that once() has the journal: ${option}.`
  );
}

function renderOpenEmails({ sending, inDoubt, more, unreadable }: Status, { paint }: Terminal) {
  const limit = more ? ' (of the first 1,000 open ones)' : '';
  const [oldest] = inDoubt;
  const colour = inDoubt.length > 0 ? paint.yellow : paint.green;
  const since = oldest
    ? `, the oldest for ${formatDuration(Date.now() - oldest.atMs)}: sendonce doubts`
    : '';
  return [
    `  sending now  ${sending}${limit}`,
    `  in doubt     ${colour(String(inDoubt.length))}${since}`,
    ...(unreadable ? [`  ${paint.red('cannot be read')}  ${stripControls(unreadable.key)}`] : []),
  ];
}
