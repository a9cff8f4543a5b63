import {
  type ChosenDoubts,
  countDoubts,
  type DoubtCount,
  type DoubtFilter,
  type ManyResolved,
  senderOf,
  type VerdictResult,
} from '@sendonce/core/inspect';
import type { Backend } from '../backend.ts';
import type { CommandLine } from '../command.ts';
import { describeFilter } from '../doubt-filter.ts';
import { renderTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { wrap } from '../wrap.ts';
import { loadDoubt, renderDoubts } from './doubts.ts';

interface Context {
  readonly commandLine: CommandLine;
  readonly terminal: Terminal;
  readonly backend: Backend;
  readonly verdict: 'sent' | 'not-sent';
  readonly filter: DoubtFilter;
}

/** So many emails are shown before the question, and so many problems after the work. */
const MAX_SHOWN = 10;
/** A table with more lines is not read. */
const MAX_COUNTS = 8;

/** `1,998 emails` */
export function countEmails(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'email' : 'emails'}`;
}

/** What is chosen, and what the verdict means for it. `left`: how many a killed run has left. */
export async function renderPreview(
  context: Context,
  { doubts, more }: ChosenDoubts,
  left: number,
): Promise<string> {
  const { terminal, backend, filter } = context;
  const say = (text: string) => wrap(text, terminal);
  const { causes, queues, ages } = countDoubts(doubts);
  const shown = await Promise.all(
    doubts.slice(0, MAX_SHOWN).map(async (doubt) => {
      const email = await loadDoubt({ ...doubt, state: 'in-doubt' }, backend.journal);
      return { ...email, note: doubt.cause };
    }),
  );
  const hidden = doubts.length - shown.length;
  const lines = [
    say(describeChoice(doubts.length, { filter, more })),
    ...(doubts.length > 0
      ? [
          '',
          renderTable(
            [{ title: 'what' }, { title: '' }, { title: 'emails', right: true }],
            [
              ...listCounts('why', causes),
              ...listCounts('queue', queues),
              ...listCounts('dispatched', ages),
            ],
            terminal,
          ),
          '',
          renderDoubts(shown, terminal),
          ...(hidden > 0 ? [`and ${hidden.toLocaleString('en')} more`] : []),
        ]
      : []),
    ...(left > 0
      ? [
          '',
          say(
            `A run before was killed: the jobs of ${countEmails(left)} that it had begun with are retried, too, if they were resolved as not sent.`,
          ),
        ]
      : []),
    '',
    say(describeConsequence(context)),
  ];
  return lines.join('\n');
}

function describeChoice(
  count: number,
  { filter, more }: Pick<Context, 'filter'> & { readonly more: boolean },
): string {
  const which = describeFilter(filter);
  const first = more ? 'The first ' : '';
  const rest = more ? ' There are more: run the command again for them.' : '';
  return which === ''
    ? `${first}${countEmails(count)} in doubt: all that there are, because no filter is given.${rest}`
    : `${first}${countEmails(count)} in doubt, ${which}.${rest}`;
}

function listCounts(title: string, counts: readonly DoubtCount[]): string[][] {
  const shown = counts.slice(0, MAX_COUNTS);
  const rest = counts.slice(MAX_COUNTS).reduce((sum, { count }) => sum + count, 0);
  const all = rest > 0 ? [...shown, { name: 'others', count: rest }] : shown;
  return all.map(({ name, count }, index) => [
    index === 0 ? title : '',
    name,
    count.toLocaleString('en'),
  ]);
}

function describeConsequence({ verdict, commandLine }: Context): string {
  const isRetried = commandLine.values['retry'] === true;
  if (verdict === 'sent') {
    const jobs = isRetried ? ' Their failed jobs run again, and complete as duplicates.' : '';
    return `Verdict: they were sent, and are not sent again.${jobs} If that is wrong for one of them, its customer never gets it.`;
  }
  const jobs = isRetried
    ? 'their failed jobs run again and send them'
    : 'the next attempt of each sends it';
  return `Verdict: they were not sent; ${jobs}. If that is wrong for one of them, its customer gets it twice.`;
}

/** What was done, what is left, and how to continue. */
export function describeResolved(
  { terminal, verdict, commandLine }: Pick<Context, 'terminal' | 'verdict' | 'commandLine'>,
  { counts, resolved, notReached, problems, error }: ManyResolved,
  { more }: { readonly more: boolean },
): string {
  const isRetried = commandLine.values['retry'] === true;
  const sentences = [
    `${countEmails(resolved)} resolved as ${verdict === 'sent' ? 'sent' : 'not sent'}.`,
    isRetried && `${countJobs(counts.retried)} again.`,
    counts['not-failed'] > 0 &&
      `${countEmails(counts['not-failed'])}: the job had not failed (it waits, runs or is completed).`,
    counts.resumed > 0 &&
      `${countEmails(counts.resumed)} had been resolved as not sent before, and the failed job runs again now.`,
    counts.changed > 0 &&
      `${countEmails(counts.changed)} had another verdict or outcome meanwhile, and were not changed.`,
    notReached > 0 &&
      `${error ? 'The ledger did not answer' : 'Stopped'}: ${countEmails(notReached)} not reached. Run the same command again for the rest.`,
    more && 'There are more: run the command again for them.',
  ].filter((text) => typeof text === 'string');
  const lines = sentences.map((text) => wrap(text, terminal));
  if (problems.length === 0) return lines.join('\n');
  const shown = problems.slice(0, MAX_SHOWN);
  const rows = shown.map(({ key, job, result }) => [
    senderOf({ job }) ?? '',
    describeProblem(result),
    key,
  ]);
  const columns = [{ title: 'job' }, { title: 'what', mayShrink: true }, { title: 'key' }];
  const hidden = problems.length - shown.length;
  return [
    ...lines,
    '',
    `${countEmails(problems.length)} to look at:`,
    renderTable(columns, rows, terminal),
    ...(hidden > 0 ? [`and ${hidden.toLocaleString('en')} more (--json has all of them)`] : []),
  ].join('\n');
}

function countJobs(count: number): string {
  return count === 1 ? '1 job runs' : `${count.toLocaleString('en')} jobs run`;
}

function describeProblem(result: VerdictResult): string {
  return problemTexts[result] ?? result;
}

const problemTexts: Readonly<Partial<Record<VerdictResult, string>>> = {
  'not-retried': 'resolved, but its queue did not answer: retry its job',
  'no-job': 'still in doubt: its job is gone or completed, so nothing would send it',
  'no-queue': 'still in doubt: its queue is not known here',
  'queue-unavailable': 'its queue did not answer: run the command again',
  'known-unsent': 'still in doubt: its sender knows that it was not sent',
  'left-unsent':
    'resolved as not sent before, and its job is gone or not known here: nothing sends it',
  unreadable: 'its record cannot be read',
  unavailable: 'the ledger did not answer: run the command again',
};
