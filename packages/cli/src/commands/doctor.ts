import type { Finding } from '@sendonce/core';
import type { Command } from '../command.ts';
import { exit } from '../terminal.ts';

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary: 'what the promise rests on: eviction, durability, rights, versions',
  details: '  Exit code 1 for an error or a warning.',
  async run({ json }, terminal, open) {
    const { ledger, where } = await open();
    const findings = (await ledger.doctor?.()) ?? [];
    if (json) terminal.out(JSON.stringify({ findings }));
    else if (findings.length === 0)
      terminal.out(`${where}: nothing found that undermines the promise.`);
    else {
      const { paint } = terminal;
      const colours = { error: paint.red, warning: paint.yellow, info: paint.dim };
      const line = ({ severity, check, found, remedy }: Finding) =>
        `${colours[severity](severity.padEnd(7))}  ${paint.bold(check)}: ${found}${remedy && ` ${remedy}`}`;
      terminal.out([paint.bold(where), ...findings.map(line)].join('\n'));
    }
    return findings.some(({ severity }) => severity !== 'info') ? exit.no : exit.ok;
  },
};
