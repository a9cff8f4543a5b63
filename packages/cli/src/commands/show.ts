import {
  foldCopies,
  findEmails,
  formatDuration,
  type FoundEmail,
  lastLabel,
  senderOf,
} from '@sendonce/core/inspect';
import type { Backend } from '../backend.ts';
import type { Command, CommandLine } from '../command.ts';
import { toJson } from '../json.ts';
import { colourFor, describeNextStep, describeState, formatTime } from '../describe-email.ts';
import { wrap } from '../wrap.ts';
import { findNothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { renderTable } from '../table.ts';
import { exitCodes, hidePasswords, stripControls, type Terminal, UsageError } from '../terminal.ts';

export const emailArgument = {
  name: '<email...>',
  help: 'the parts of its key in their order (delivery-notice 4711 ada@example.org), or as JSON; or what the journal knows: its label (order 4711), its Message-ID, its job (notices:17); or the key itself. Keys are hashes: without a journal, an email is found only by all parts of its key.',
};

export const show: Command = {
  name: 'show',
  argument: emailArgument,
  summary: "one email's history in order: by which worker, how long each step took",
  details: 'Exit code 1 if it is not found.',
  async run(commandLine, terminal, openBackend) {
    const backend = await openBackend();
    const emails = await findNamedEmails(commandLine, backend);
    const nothingKnown = emails.length === 0 ? await findNothingKnown(backend) : undefined;
    if (commandLine.json) terminal.out(toJson({ emails, nothingKnown }));
    else if (nothingKnown) return reportNothingKnown(nothingKnown, terminal);
    else if (emails.length === 0) terminal.err(wrap(notFoundMessage(commandLine), terminal));
    else terminal.out(emails.map((email) => renderEmail(email, terminal)).join('\n\n'));
    if (nothingKnown) return exitCodes.nothingKnown;
    return emails.length > 0 ? exitCodes.ok : exitCodes.no;
  },
};

/** Finds the emails that the command line names. @throws {UsageError} if it names none */
export async function findNamedEmails(
  { words }: CommandLine,
  backend: Backend,
): Promise<readonly FoundEmail[]> {
  if (words.length === 0) throw new UsageError('Which email?');
  return findEmails(backend, words);
}

export function notFoundMessage({ words }: CommandLine): string {
  return (
    `No email is known under "${hidePasswords(stripControls(words.join(' ')))}". Give all parts of its key in their order, exactly as in once(), ` +
    'or a label, Message-ID or queue:jobId that the journal has. Or it was never claimed, or its retention is over.'
  );
}

export function renderEmail(email: FoundEmail, terminal: Terminal): string {
  const { key, record, history } = email;
  const { paint } = terminal;
  const colour = record ? colourFor(record.state, paint) : paint.dim;
  const lines = [
    paint.bold(stripControls(lastLabel(history) ?? key)),
    colour(wrap(stripControls(describeState(email)), terminal)),
    ...listFacts(email).map(([name, value]) => `  ${name.padEnd(10)}  ${stripControls(value)}`),
  ];
  if (history.length > 0) lines.push('', renderHistory(history, terminal));
  if (record?.state === 'in-doubt') lines.push('', wrap(describeNextStep(key), terminal));
  return lines.join('\n');
}

function listFacts({ key, record }: FoundEmail): [name: string, value: string][] {
  if (!record) return [['key', key]];
  const { state, atMs, messageId, note, resolvedBy } = record;
  const facts: [string, string | undefined][] = [
    ['key', key],
    ['since', `${formatTime(atMs)}, ${formatDuration(Date.now() - atMs)} ago`],
    ['by', senderOf(record)],
    ['Message-ID', messageId],
    // Why the email was in doubt before it was resolved, or which of its copies were refused.
    [resolvedBy ? 'doubt' : 'note', state === 'sent' ? note : undefined],
  ];
  return facts.flatMap(([name, value]) => (value ? [[name, value]] : []));
}

function renderHistory(history: FoundEmail['history'], terminal: Terminal): string {
  const columns = [
    { title: 'time' },
    { title: 'step', paint: (step: string) => colourFor(step, terminal.paint)(step) },
    { title: 'after', right: true },
    { title: 'by', mayShrink: true },
    { title: 'worker', mayShrink: true },
    { title: 'why', mayShrink: true },
  ];
  const rows = foldCopies(history).map((group, index, groups) => {
    const [first] = group;
    const { atMs, type, worker = '', note = '', dueMs } = first;
    const before = groups[index - 1]?.at(-1);
    const isGroup = group.length > 1;
    return [
      new Date(atMs).toISOString().replace('T', ' '),
      isGroup ? `${type} ×${group.length}` : type,
      before ? formatDuration(atMs - before.atMs) : '',
      isGroup ? `${senderOf(first)} and others` : senderOf(first),
      worker,
      dueMs === undefined ? note : `for ${formatTime(dueMs)}`,
    ];
  });
  return renderTable(columns, rows, terminal);
}
