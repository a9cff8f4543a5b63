import { labelOf, listAtMost } from '@sendonce/core/inspect';
import type { Command } from '../command.ts';
import { table } from '../table.ts';
import { exit } from '../terminal.ts';
import { lengthOfTime, workerIn } from '../words.ts';

/** More than that are not read by people at once; --json has all. */
const MOST_SHOWN = 200;

export const doubts: Command = {
  name: 'doubts',
  usage: 'doubts',
  summary: 'the emails of which nobody knows whether they left, oldest first',
  details: '  Exit code 1 while there are any.',
  async run({ json }, terminal, open) {
    const { ledger, journal } = await open();
    const { records, unreadable } = await listAtMost(ledger, 'in-doubt');
    const shown = records.slice(0, json ? undefined : MOST_SHOWN);
    const emails = await Promise.all(
      shown.map(async (record) => {
        const history = (await journal?.history(record.key)) ?? [];
        return { ...record, label: labelOf(history) ?? '', worker: workerIn(history, record.by) };
      }),
    );
    if (json) terminal.out(JSON.stringify({ doubts: emails }));
    else if (emails.length === 0 && unreadable === undefined) terminal.out('No email is in doubt.');
    else if (emails.length === 0) terminal.out('No email that can be read is in doubt.');
    else {
      terminal.out(
        table(
          [
            { title: 'for', right: true },
            { title: 'label', mayShrink: true },
            { title: 'job', mayShrink: true },
            { title: 'worker', mayShrink: true },
            { title: 'why', mayShrink: true },
            { title: 'key' },
          ],
          emails.map(({ atMs, label, by = '', worker, note = 'its sender fell silent', key }) => [
            lengthOfTime(Date.now() - atMs),
            label,
            by,
            worker,
            note,
            key,
          ]),
          terminal,
        ),
      );
      const more = records.length - shown.length;
      if (more > 0) terminal.out(`and ${more} more`);
      terminal.err(
        'Find out (provider, mail log, customer), then: sendonce resolve <key> --sent, or --not-sent --retry.',
      );
    }
    if (unreadable) throw unreadable;
    return records.length > 0 ? exit.no : exit.ok;
  },
};
