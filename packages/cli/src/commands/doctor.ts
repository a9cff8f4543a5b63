import type { Command } from '../command.ts';
import { exitCodeFor, renderFinding } from '../findings.ts';

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary: 'what the promise rests on: eviction, durability, rights, versions',
  details: '  Exit code 1 for an error or a warning.',
  async run({ json }, terminal, openBackend) {
    const { ledger, location } = await openBackend();
    const findings = (await ledger.doctor?.()) ?? [];
    if (json) terminal.out(JSON.stringify({ findings }));
    else if (findings.length === 0)
      terminal.out(`${location}: nothing found that undermines the promise.`);
    else {
      const { paint } = terminal;
      const lines = findings.map((finding) => renderFinding(finding, paint, 'warning'.length));
      terminal.out([paint.bold(location), ...lines].join('\n'));
    }
    return exitCodeFor(findings);
  },
};
