import { userInfo } from 'node:os';
import {
  chooseDoubts,
  type ChosenDoubts,
  type DoubtFilter,
  type ManyResolved,
  type NamedDoubt,
  resolveEmails,
  type VerdictResult,
} from '@sendonce/core/inspect';
import type { Backend } from '../backend.ts';
import { type CommandLine, textOption } from '../command.ts';
import { listFilters, readFilter } from '../doubt-filter.ts';
import { toJson } from '../json.ts';
import { findNothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { reportError, toErrorJson } from '../report-error.ts';
import { exitCodes, type Terminal, UsageError } from '../terminal.ts';
import { openUnfinished, type Unfinished } from '../unfinished.ts';
import { wrap } from '../wrap.ts';
import { countEmails, describeResolved, renderPreview } from './resolve-all-texts.ts';

/** What every step of the command needs. */
interface Context {
  readonly commandLine: CommandLine;
  readonly terminal: Terminal;
  readonly backend: Backend;
  readonly verdict: 'sent' | 'not-sent';
  readonly filter: DoubtFilter;
}

const PROGRESS_EVERY_MS = 2_000;

/** `resolve --all`: one verdict for all emails in doubt that the filters choose. */
export async function resolveAll(
  { commandLine, terminal, verdict }: Pick<Context, 'commandLine' | 'terminal' | 'verdict'>,
  openBackend: () => Promise<Backend>,
): Promise<number> {
  const filter = readFilter(commandLine);
  const expected = readCount(commandLine, terminal);
  const backend = await openBackend();
  const context: Context = { commandLine, terminal, backend, verdict, filter };
  const chosen = await chooseDoubts(backend.ledger, filter);
  const unfinished = openFile(context);
  const left = unfinished?.left ?? [];
  const count = chosen.doubts.length;
  if (count + left.length === 0) return reportNone(context, chosen);
  if (expected !== undefined && expected !== count) {
    const text = `${countEmails(count)} in doubt match now, not ${expected}. Nothing was changed. Look again: sendonce doubts.`;
    return report(context, { state: 'count-changed', chosen: count }, { text, code: exitCodes.no });
  }
  terminal.err(await renderPreview(context, chosen, left.length));
  if (!(await isConfirmed(context, count))) {
    const text = 'Nothing was changed.';
    return report(context, { state: 'unchanged', chosen: count }, { text, code: exitCodes.no });
  }
  const resolved = await resolveChosen(context, [...left, ...chosen.doubts], unfinished);
  const done = count + left.length - resolved.notReached;
  unfinished?.close({ leftDone: done >= left.length && !resolved.error });
  return reportResolved(context, chosen, resolved);
}

/** The number beside `--yes`. Undefined: the user is asked. @throws {UsageError} */
function readCount({ words, values }: CommandLine, { ask }: Terminal): number | undefined {
  const [word, ...more] = words;
  const isYes = values['yes'] === true;
  if (word !== undefined && (!isYes || more.length > 0 || !/^\d{1,9}$/.test(word))) {
    throw new UsageError(
      'Give either --all or one email. With --all, the only word is the number of emails: --yes 1998.',
    );
  }
  if (isYes && word === undefined) {
    throw new UsageError(
      'With --all, --yes needs the number of emails that you expect: --yes 1998. "sendonce doubts" with the same filters lists them.',
    );
  }
  if (word === undefined && !ask) {
    throw new UsageError(
      'No terminal to ask for a confirmation: give --yes with the number of emails that you expect, such as --yes 1998. "sendonce doubts --json" with the same filters lists them.',
    );
  }
  return word === undefined ? undefined : Number(word);
}

/**
 * Undefined where no job is retried after its doubt was removed, and where it cannot be written.
 */
function openFile({ commandLine, terminal, backend, verdict }: Context): Unfinished | undefined {
  if (verdict === 'sent' || commandLine.values['retry'] !== true) return undefined;
  try {
    const unfinished = openUnfinished(backend.location, terminal);
    for (const file of unfinished.old) {
      const text = `A run before was killed more than an hour ago, and its jobs are not retried. Retry those that have failed, then delete the file that names them: ${file}`;
      terminal.err(wrap(text, terminal));
    }
    return unfinished;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const text = `The folder of XDG_STATE_HOME cannot be written (${code}). If this command is killed, some jobs that it has resolved may stay failed: retry the failed jobs of the queue then.`;
    terminal.err(wrap(text, terminal));
    return undefined;
  }
}

/** A number is typed: "y" is typed too easily for so many. */
async function isConfirmed({ commandLine, terminal }: Context, count: number): Promise<boolean> {
  if (commandLine.values['yes'] === true) return true;
  const answer = await terminal.ask!(`\nType the number of emails, ${count}, to record that: `);
  return answer.trim().replaceAll(/[,_ ]/g, '') === String(count);
}

/** A job of these is not retried yet, and the next run retries it. */
const NOT_ENDED: ReadonlySet<VerdictResult> = new Set([
  'not-retried',
  'queue-unavailable',
  // Perhaps it is another ledger than that of the run that was killed.
  'left-unsent',
  'unavailable',
]);

async function resolveChosen(
  { commandLine, terminal, backend, verdict }: Context,
  doubts: readonly NamedDoubt[],
  unfinished: Unfinished | undefined,
): Promise<ManyResolved> {
  let done = 0;
  let toldMs = Date.now();
  return resolveEmails(backend, doubts, {
    verdict,
    by: textOption(commandLine, 'by') ?? userInfo().username,
    why: textOption(commandLine, 'why'),
    retryIn:
      commandLine.values['retry'] === true ? (backend.findQueue ?? (() => undefined)) : undefined,
    signal: terminal.stopped,
    beforeVerdict: (doubt) => unfinished?.begin(doubt),
    onResult(doubt, result) {
      if (!NOT_ENDED.has(result)) unfinished?.end(doubt);
      done += 1;
      if (Date.now() - toldMs < PROGRESS_EVERY_MS) return;
      toldMs = Date.now();
      terminal.err(`${done.toLocaleString('en')} of ${doubts.length.toLocaleString('en')}`);
    },
  });
}

async function reportNone(context: Context, { unreadable }: ChosenDoubts): Promise<number> {
  const { commandLine, terminal, backend } = context;
  if (unreadable) return reportError(unreadable, terminal, commandLine.json);
  const nothingKnown = await findNothingKnown(backend);
  if (nothingKnown && !commandLine.json) return reportNothingKnown(nothingKnown, terminal);
  const isFiltered = listFilters(commandLine).length > 0;
  const text = isFiltered ? 'No email in doubt matches.' : 'No email is in doubt.';
  const code = nothingKnown ? exitCodes.nothingKnown : exitCodes.no;
  return report(context, { state: 'none', chosen: 0, nothingKnown }, { text, code });
}

function reportResolved(
  context: Context,
  { doubts, more, unreadable }: ChosenDoubts,
  resolved: ManyResolved,
): number {
  const { counts, problems, notReached, error } = resolved;
  const failure = error ?? unreadable;
  const isAway = failure !== undefined || problems.some(({ result }) => NOT_ENDED.has(result));
  const isWhole = problems.length + notReached + counts.changed === 0 && !more;
  const code = isWhole ? exitCodes.ok : exitCodes.no;
  const result = {
    state: isWhole ? 'resolved' : 'partly-resolved',
    verdict: context.verdict,
    chosen: doubts.length,
    more,
    resolved: resolved.resolved,
    counts,
    notReached,
    problems,
    ...(failure && { error: toErrorJson(failure) }),
  };
  const text = describeResolved(context, resolved, { more });
  report(context, result, { text, code });
  if (failure) reportError(failure, context.terminal);
  return isAway ? exitCodes.unavailable : code;
}

interface Result {
  readonly state: string;
  readonly [more: string]: unknown;
}

function report(
  { commandLine, terminal }: Context,
  result: Result,
  { text, code }: { readonly text: string; readonly code: number },
): number {
  if (commandLine.json) terminal.out(toJson(result));
  else if (code === exitCodes.ok) terminal.out(text);
  else terminal.err(text);
  return code;
}
