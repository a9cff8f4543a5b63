import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../command.ts';
import { exit, UsageError } from '../terminal.ts';
import { type Glance, glance, picture } from './status.ts';

export const watch: Command = {
  name: 'watch',
  usage: 'watch',
  summary: 'the same, live, until Ctrl-C',
  details: `  --every <seconds>   how often it looks (default 1)

  On a terminal the picture is drawn anew; elsewhere, and with --json, a line is written when something changes.`,
  options: { every: { type: 'string' } },
  async run(given, terminal, open) {
    const everyMs = Number(given.values['every'] ?? '1') * 1000;
    if (!(everyMs >= 100 && everyMs <= 3_600_000)) {
      throw new UsageError('Expected --every to be seconds, from 0.1 to 3600.');
    }
    const desk = await open();
    let last = '';
    while (!terminal.stopped.aborted) {
      const seen = await glance(desk);
      if (terminal.columns !== undefined && !given.json) {
        // Home, the picture line by line, and nothing of the last one below it.
        const lines = `${picture(seen, desk, terminal)}\n\n${terminal.paint.dim('Ctrl-C ends')}`;
        terminal.out(`\u001B[H${lines.replaceAll('\n', '\u001B[K\n')}\u001B[J`);
      } else {
        const line = given.json ? JSON.stringify(numbers(seen)) : plain(seen);
        if (line !== last) terminal.out(line);
        last = line;
      }
      await sleep(everyMs, undefined, { signal: terminal.stopped }).catch(() => {});
    }
    return exit.ok;
  },
};

function numbers({ sending, inDoubt, unreadable, today }: Glance) {
  return { sending, inDoubt: inDoubt.length, unreadable: unreadable?.key, today };
}

function plain(seen: Glance): string {
  const { sending, inDoubt, today } = numbers(seen);
  const counted = Object.entries(today).map(([type, count]) => `${type} ${count}`);
  return [`sending ${sending}`, `in doubt ${inDoubt}`, ...counted].join('  ');
}
