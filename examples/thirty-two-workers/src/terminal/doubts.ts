import type { Doubt } from '../doubts.ts';
import { count } from '../plural.ts';
import type { Paint } from '@sendonce/testkit/colours';

/** What the ledger lists, how one resolves it, and that nothing is sent again afterwards. */
export function renderDoubts(doubts: readonly Doubt[], paint: Paint): string {
  if (doubts.length === 0) return '';
  const one = doubts.length === 1;
  return [
    paint.bold(
      `${one ? 'The email' : `The ${doubts.length} emails`} in doubt, as ledger.list() showed ${one ? 'it' : 'them'}:`,
    ),
    ...doubts.flatMap((doubt) => renderDoubt(doubt, paint)),
  ].join('\n');
}

function renderDoubt({ cell, record, verdict, retried, arrived }: Doubt, paint: Paint): string[] {
  const { key, job, atMs, note } = record;
  return [
    `  ${paint.yellow('?')} ${key}  since ${new Date(atMs).toISOString()}, job ${job?.id ?? '?'}${note ? ` (${note})` : ''}`,
    paint.dim(`    ${cell}: looked for its Message-ID in the log of the mail server: ${verdict}`),
    paint.dim(
      `    resolveEmail({ ledger }, { key, token, verdict: '${verdict}', by: 'the mail log' })`,
    ),
    `    job retried: ${retried}, ${count(arrived, 'email')} arrived in all`,
  ];
}
