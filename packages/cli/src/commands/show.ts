import { type JournalEntry } from '@sendonce/core';
import { findEmails, type FoundEmail, labelOf } from '@sendonce/core/inspect';
import type { Command, Given } from '../command.ts';
import type { Desk } from '../desk.ts';
import { table } from '../table.ts';
import { exit, harmless, type Terminal, UsageError } from '../terminal.ts';
import { colourOf, inWords, lengthOfTime, moment } from '../words.ts';

export const whichEmail = `  <email> is the parts of its key in their order (delivery-notice 4711 ada@example.org), or as JSON, or what the
  journal knows: its label (order 4711), its Message-ID, its job (notices:17); or the key itself. Keys are hashes: without
  a journal an email is found by all parts of its key, and no other way.`;

export const show: Command = {
  name: 'show',
  usage: 'show <email>',
  summary: "one email's history in order: by which worker, how long each step took",
  details: `${whichEmail}\n  Exit code 1 where there is none.`,
  async run(given, terminal, open) {
    const emails = await lookUp(given, await open());
    if (given.json) terminal.out(JSON.stringify({ emails }));
    else if (emails.length === 0) terminal.err(nothingFound(given));
    else terminal.out(emails.map((email) => picture(email, terminal)).join('\n\n'));
    return emails.length > 0 ? exit.ok : exit.no;
  },
};

/** @throws {UsageError} where no email is named. */
export async function lookUp({ words }: Given, desk: Desk): Promise<readonly FoundEmail[]> {
  if (words.length === 0) throw new UsageError('Which email?');
  return findEmails(desk, words);
}

export function nothingFound({ words }: Given): string {
  return (
    `No email is known under "${harmless(words.join(' '))}". Give all parts of its key in their order, exactly as in once(), ` +
    'or a label, Message-ID or queue:jobId that the journal has. It may also never have been claimed, or its retention is over.'
  );
}

export function picture(found: FoundEmail, terminal: Terminal): string {
  const { key, record, history } = found;
  const { paint } = terminal;
  const label = labelOf(history) ?? key;
  const colour = record ? colourOf(record.state, paint) : paint.dim;
  const facts: [string, string | undefined][] = [
    ['key', key],
    ['since', record && `${moment(record.atMs)}, ${lengthOfTime(Date.now() - record.atMs)} ago`],
    ['by', record?.by],
    ['Message-ID', record?.messageId],
  ];
  const lines = [
    paint.bold(harmless(label)),
    colour(harmless(inWords(found))),
    ...facts.flatMap(([name, value]) =>
      value ? [`  ${name.padEnd(10)}  ${harmless(value)}`] : [],
    ),
  ];
  if (history.length > 0) lines.push('', timeline(history, terminal));
  return lines.join('\n');
}

function timeline(history: FoundEmail['history'], terminal: Terminal): string {
  return table(
    [
      { title: 'time' },
      { title: 'step', paint: (step) => colourOf(step, terminal.paint)(step) },
      { title: 'after', right: true },
      { title: 'by', mayShrink: true },
      { title: 'worker', mayShrink: true },
      { title: 'why', mayShrink: true },
    ],
    runsOf(history).map((run, index, runs) => {
      const { atMs, type, by = '', worker = '', note = '', dueMs } = run[0]!;
      const before = runs[index - 1]?.at(-1);
      return [
        new Date(atMs).toISOString().replace('T', ' '),
        run.length === 1 ? type : `${type} ×${run.length}`,
        before ? lengthOfTime(atMs - before.atMs) : '',
        run.length === 1 ? by : `${by} and others`,
        worker,
        dueMs === undefined ? note : `for ${moment(dueMs)}`,
      ];
    }),
    terminal,
  );
}

/** Copies that come back all at once are one line: --json has them all. */
function runsOf(history: FoundEmail['history']): JournalEntry[][] {
  const runs: JournalEntry[][] = [];
  for (const entry of history) {
    const last = runs.at(-1);
    const repeats = entry.type === 'busy' || entry.type === 'duplicate';
    if (repeats && last?.[0]!.type === entry.type) last.push(entry);
    else runs.push([entry]);
  }
  return runs;
}
