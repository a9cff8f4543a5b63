import type { Finding } from '@sendonce/core';
import { exitCodes, stripControls, type Terminal } from './terminal.ts';

/** One finding in a line. Its severity is padded to `width`, so that several findings line up. */
export function renderFinding(
  { severity, check, found, remedy }: Finding,
  paint: Terminal['paint'],
  width = 0,
): string {
  const colours = { error: paint.red, warning: paint.yellow, info: paint.dim };
  // A server may have named a table or a version.
  const text = stripControls(remedy === '' ? found : `${found} ${remedy}`);
  return `${colours[severity](severity.padEnd(width))}  ${paint.bold(check)}: ${text}`;
}

/** An `info` needs no action, so it does not change the exit code. */
export function exitCodeFor(findings: readonly Finding[]): number {
  return findings.some(({ severity }) => severity !== 'info') ? exitCodes.no : exitCodes.ok;
}
