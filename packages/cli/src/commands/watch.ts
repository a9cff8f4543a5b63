import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR_MS } from '@sendonce/core/ledger';
import { type Command, textOption } from '../command.ts';
import { exitCodes, UsageError } from '../terminal.ts';
import { loadStatus, renderStatus, type Status } from './status.ts';

export const watch: Command = {
  name: 'watch',
  usage: 'watch',
  summary: 'the status, live, until Ctrl-C',
  details: `  --every <seconds>   how often it is read (default 1)

  On a terminal the status is redrawn. To a pipe, and with --json, a line is written when something changes.`,
  options: { every: { type: 'string' } },
  async run(commandLine, terminal, openBackend) {
    const everyMs = parseEvery(textOption(commandLine, 'every'));
    const backend = await openBackend();
    let lastLine = '';
    while (!terminal.stopped.aborted) {
      const status = await loadStatus(backend);
      if (terminal.columns !== undefined && !commandLine.json) {
        const text = `${renderStatus(status, backend, terminal)}\n\n${terminal.paint.dim('Ctrl-C ends')}`;
        terminal.out(redraw(text));
      } else {
        const line = commandLine.json ? JSON.stringify(summarise(status)) : renderSummary(status);
        if (line !== lastLine) terminal.out(line);
        lastLine = line;
      }
      await sleep(everyMs, undefined, { signal: terminal.stopped }).catch(() => {});
    }
    return exitCodes.ok;
  },
};

function parseEvery(seconds = '1'): number {
  const everyMs = Number(seconds) * 1000;
  if (everyMs >= 100 && everyMs <= HOUR_MS) return everyMs;
  throw new UsageError('Expected --every to be seconds, from 0.1 to 3600.');
}

/** Moves the cursor home and overwrites each line; then erases the rest of the screen. */
function redraw(text: string): string {
  return `\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`;
}

function summarise({ sending, inDoubt, unreadable, today }: Status) {
  return { sending, inDoubt: inDoubt.length, unreadable: unreadable?.key, today };
}

function renderSummary(status: Status): string {
  const { sending, inDoubt, today } = summarise(status);
  const counts = Object.entries(today).map(([type, count]) => `${type} ${count}`);
  return [`sending ${sending}`, `in doubt ${inDoubt}`, ...counts].join('  ');
}
