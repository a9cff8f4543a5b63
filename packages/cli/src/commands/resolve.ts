import { userInfo } from 'node:os';
import { type LedgerRecord, type Resolution, resolveEmail } from '@sendonce/core';
import { type FoundEmail, readEmail, retryJob, senderOf } from '@sendonce/core/inspect';
import type { Backend } from '../backend.ts';
import { type Command, type CommandLine, textOption } from '../command.ts';
import { filterOptions, listFilters } from '../doubt-filter.ts';
import { toJson } from '../json.ts';
import { describeState, formatTime } from '../describe-email.ts';
import { wrap } from '../wrap.ts';
import { findNothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { exitCodes, stripControls, type Terminal, UsageError } from '../terminal.ts';
import { resolveAll } from './resolve-all.ts';
import { emailArgument, findNamedEmails, notFoundMessage, renderEmail } from './show.ts';

type Verdict = Resolution['verdict'];

/** What every step of the command needs. */
interface Context {
  readonly commandLine: CommandLine;
  readonly terminal: Terminal;
  readonly backend: Backend;
  readonly verdict: Verdict;
}

export const resolve: Command = {
  name: 'resolve',
  // Optional, because --all takes none. Without --all, its absence is an error of the command.
  argument: { ...emailArgument, name: '[email...]' },
  usage: '<email...> | --all --sent | --not-sent',
  summary: 'resolves emails in doubt by what you found out; who and why are recorded',
  details: `Exit code 1 if it is not in doubt, or not any more: its state is then shown, and nothing is changed.
With --all: exit code 1 if one of them did not get the verdict, 3 if a server did not answer. It is safe to stop (Ctrl-C) and to run again: a verdict is about one attempt, and an email that has another verdict or outcome meanwhile is not changed. With --not-sent --retry, an email whose job is gone stays in doubt, because nothing would send it.`,
  options: [
    ['--sent', 'it was sent: it is kept as sent, and its job completes when it runs again'],
    [
      '--not-sent',
      'it was certainly not sent: the next attempt sends it. Also for a rejected email, after its cause is corrected',
    ],
    ['--retry', 'retries its failed job'],
    ['--all', 'all emails in doubt that match; it shows them and asks for their number'],
    ...filterOptions,
    ['--why <text>', 'how you know; kept with the email, so write no address in it'],
    ['--by <name>', 'who you are (default: the user of this machine)'],
    ['-y, --yes', 'does not ask for a confirmation; with --all, the number follows: --yes 1998'],
  ],
  async run(commandLine, terminal, openBackend) {
    const verdict = parseVerdict(commandLine);
    if (commandLine.values['all']) {
      return resolveAll({ commandLine, terminal, verdict }, openBackend);
    }
    const [filter] = listFilters(commandLine);
    if (filter !== undefined)
      throw new UsageError(`${filter} chooses among many: give --all, too.`);
    if (commandLine.words.length === 0) {
      throw new UsageError('Which email? Give its name, or --all for all that match.');
    }
    const context = { commandLine, terminal, backend: await openBackend(), verdict };
    const email = await findOneEmail(context);
    if (!email) return reportNotFound(context);
    const { record } = email;
    if (!record || !canResolve(record, verdict)) return reportNotInDoubt(context, email);
    if (!(await confirm(context, email))) {
      terminal.err('Nothing was changed.');
      return exitCodes.no;
    }
    return recordVerdict(context, record);
  },
};

function parseVerdict({ values }: CommandLine): Verdict {
  const { sent, 'not-sent': notSent } = values;
  if (sent === notSent) {
    throw new UsageError(
      'Give either --sent (it was sent) or --not-sent (it was certainly not sent).',
    );
  }
  return sent ? 'sent' : 'not-sent';
}

/** The email that can be resolved, or else the first one. @throws {UsageError} if several can */
async function findOneEmail(context: Context): Promise<FoundEmail | undefined> {
  const emails = await findNamedEmails(context.commandLine, context.backend);
  const resolvable = emails.filter(({ record }) => canResolve(record, context.verdict));
  if (resolvable.length > 1) {
    const keys = emails.map(({ key }) => key).join(', ');
    throw new UsageError(`Several emails have that name: ${keys}. Give the key.`);
  }
  return resolvable[0] ?? emails[0];
}

/** A rejected email can be resolved as not sent, too: then it is tried again. */
function canResolve(record: LedgerRecord | undefined, verdict: Verdict): boolean {
  return record?.state === 'in-doubt' || (record?.state === 'rejected' && verdict === 'not-sent');
}

async function confirm(
  { commandLine, terminal, verdict }: Context,
  email: FoundEmail,
): Promise<boolean> {
  if (commandLine.values['yes']) return true;
  if (!terminal.ask) {
    throw new UsageError(
      'No terminal to ask for a confirmation: give --yes to resolve without it.',
    );
  }
  terminal.err(renderEmail(email, terminal));
  const what = verdict === 'sent' ? 'It was sent' : 'It was not sent, and may be sent again';
  const answer = await terminal.ask(`\n${what}. Record that? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

async function recordVerdict(context: Context, record: LedgerRecord): Promise<number> {
  const { commandLine, backend, verdict } = context;
  const { key, token } = record;
  const by = textOption(commandLine, 'by') ?? userInfo().username;
  const why = textOption(commandLine, 'why');
  const reply = await resolveEmail(backend, { key, token, verdict, by, why });
  if (reply.state === 'not-in-doubt') {
    return reportNotInDoubt(context, await readEmail(backend, key));
  }
  const next = verdict === 'sent' ? 'kept as sent' : 'the next attempt sends it';
  if (!commandLine.values['retry']) {
    return report(context, { state: 'resolved', key, verdict }, `Resolved: ${next}.`);
  }
  const job = await retryIn(backend, record);
  const result = { state: 'resolved', key, verdict, job };
  return report(context, result, `Resolved: ${next}. ${retryMessages[job]}`);
}

async function retryIn(backend: Backend, record: LedgerRecord) {
  const queue = record.job && backend.findQueue?.(record.job.queue);
  return queue ? retryJob(queue, record) : 'no-job';
}

const retryMessages = {
  retried: 'Its job runs again.',
  'not-failed': 'Its job has not failed: it is waiting, running or completed.',
  'no-job': 'Its job is gone, or in a queue that is not known here: schedule the email again.',
} as const;

async function reportNotFound({ backend, commandLine, terminal }: Context): Promise<number> {
  const nothingKnown = await findNothingKnown(backend);
  if (!nothingKnown) {
    return report({ commandLine, terminal }, { state: 'not-found' }, notFoundMessage(commandLine));
  }
  if (!commandLine.json) return reportNothingKnown(nothingKnown, terminal);
  terminal.out(toJson({ state: 'not-found', nothingKnown }));
  return exitCodes.nothingKnown;
}

/** The email was resolved before, or was never in doubt: shows its state. */
function reportNotInDoubt(context: Context, email: FoundEmail): number {
  const { record } = email;
  const sender = record && senderOf(record);
  const by = sender ? `, by ${sender}` : '';
  const since = record ? `, since ${formatTime(record.atMs)}` : '';
  const state = stripControls(describeState(email) + by + since);
  const text = `It is not in doubt, and nothing was changed. It is ${state}.`;
  return report(context, { state: 'not-in-doubt', record }, text);
}

interface Result {
  readonly state: string;
  readonly [more: string]: unknown;
}

function report(
  { commandLine, terminal }: Omit<Context, 'backend' | 'verdict'>,
  result: Result,
  text: string,
): number {
  const isResolved = result.state === 'resolved';
  if (commandLine.json) terminal.out(toJson(result));
  else if (isResolved) terminal.out(wrap(text, terminal));
  else terminal.err(wrap(text, terminal));
  return isResolved ? exitCodes.ok : exitCodes.no;
}
