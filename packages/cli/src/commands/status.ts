import { type JournalType } from '@sendonce/core';
import { type Overview, overviewOf } from '@sendonce/core/inspect';
import type { Command } from '../command.ts';
import { type Counts, DAY_MS, sumSince, todayMs } from '../counts.ts';
import type { Desk } from '../desk.ts';
import { table } from '../table.ts';
import { exit, type Terminal } from '../terminal.ts';
import { lengthOfTime } from '../words.ts';

export const status: Command = {
  name: 'status',
  usage: 'status',
  summary: 'how many were sent, prevented, rejected; what is open, what is in doubt',
  details:
    '  Exit code 1 while emails are in doubt, and 3 where a record cannot be read: it does not hide the others.',
  async run({ json }, terminal, open) {
    const desk = await open();
    const seen = await glance(desk);
    if (json) {
      const { sending, inDoubt, more, unreadable, hours, today, week } = seen;
      const counted = hours && { today, week };
      const { key } = unreadable ?? {};
      const open = { sending, inDoubt: inDoubt.length, more, unreadable: key };
      terminal.out(JSON.stringify({ ...open, ...counted }));
    } else terminal.out(picture(seen, desk, terminal));
    if (seen.unreadable) throw seen.unreadable;
    return seen.inDoubt.length > 0 ? exit.no : exit.ok;
  },
};

export interface Glance extends Overview {
  readonly today: Counts;
  readonly week: Counts;
}

export async function glance(desk: Desk): Promise<Glance> {
  const nowMs = Date.now();
  const overview = await overviewOf(desk, { sinceMs: nowMs - 7 * DAY_MS });
  const hours = overview.hours ?? [];
  return { ...overview, today: sumSince(hours, todayMs(nowMs)), week: sumSince(hours, 0) };
}

const rows: readonly [string, readonly JournalType[]][] = [
  ['scheduled', ['scheduled']],
  ['sent', ['sent']],
  ['duplicates prevented', ['duplicate']],
  ['busy, came back later', ['busy']],
  ['rejected', ['rejected']],
  ['cancelled', ['cancelled']],
  ['conflicts', ['conflict']],
  ['in doubt', ['in-doubt']],
  ['resolved', ['resolved-sent', 'resolved-not-sent']],
  ['not recorded', ['unrecorded']],
];

export function picture(seen: Glance, desk: Pick<Desk, 'where'>, terminal: Terminal): string {
  const { paint } = terminal;
  const more = seen.more ? ' (of the first 1,000 open ones)' : '';
  const oldest = seen.inDoubt[0];
  const doubt = seen.inDoubt.length > 0 ? paint.yellow : paint.green;
  const since = oldest
    ? `, the oldest for ${lengthOfTime(Date.now() - oldest.atMs)}: sendonce doubts`
    : '';
  const now = [
    paint.bold(desk.where),
    '',
    `  sending now  ${seen.sending}${more}`,
    `  in doubt     ${doubt(String(seen.inDoubt.length))}${since}`,
    ...(seen.unreadable ? [`  ${paint.red('cannot be read')}  ${seen.unreadable.key}`] : []),
    '',
  ];
  if (!seen.hours) {
    now.push(
      '  Sent and prevented emails are counted by a journal: once(processor, { journal: redisJournal(client), … }).',
    );
    return now.join('\n');
  }
  const count = (counts: Counts, types: readonly JournalType[]) =>
    types.reduce((sum, type) => sum + (counts[type] ?? 0), 0).toLocaleString('en');
  const counted = table(
    [{ title: '' }, { title: 'today', right: true }, { title: '7 days', right: true }],
    rows.map(([name, types]) => [name, count(seen.today, types), count(seen.week, types)]),
    terminal,
  );
  return [...now, counted.replaceAll(/^/gm, '  ')].join('\n');
}
