import type { Finding } from '@sendonce/core';
import type { Backend } from '../backend.ts';
import type { Command } from '../command.ts';
import { toJson } from '../json.ts';
import { findRepeats } from '../find-repeats.ts';
import { findNothingKnown } from '../nothing-known.ts';
import { wrap } from '../wrap.ts';
import { stripControls } from '../terminal.ts';
import { exitCodeFor, renderFinding } from '../findings.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'what the promise rests on: eviction, durability, rights, versions',
  details: 'Exit code 1 for an error or a warning.',
  async run({ json }, terminal, openBackend) {
    const backend = await openBackend();
    const { ledger, location } = backend;
    const findings = [
      ...((await ledger.doctor?.()) ?? []),
      ...(await findEmptiness(backend)),
      ...(await findRepeats(backend)),
    ];
    if (json) terminal.out(toJson({ findings }));
    else if (findings.length === 0)
      terminal.out(
        wrap(`${stripControls(location)}: nothing found that undermines the promise.`, terminal),
      );
    else {
      const { paint } = terminal;
      const lines = findings.map((finding) => renderFinding(finding, paint, 'warning'.length));
      const title = paint.bold(stripControls(location));
      terminal.out(wrap([title, ...lines].join('\n'), terminal));
    }
    return exitCodeFor(findings);
  },
};

/** The checks were about this server. Is it the right one? */
async function findEmptiness(backend: Backend): Promise<readonly Finding[]> {
  const nothingKnown = await findNothingKnown(backend);
  if (!nothingKnown) return [];
  const { location, check } = nothingKnown;
  const found = `Nothing is known at ${location}.`;
  return [{ severity: 'warning', check: 'nothing-known', found, remedy: check }];
}
