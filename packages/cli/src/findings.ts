import type { Finding } from '@sendonce/core';
import { exit, type Terminal } from './terminal.ts';

/** One finding; `width`: of the severity, where several stand below each other. */
export function findingLine(
  { severity, check, found, remedy }: Finding,
  paint: Terminal['paint'],
  width = 0,
): string {
  const colours = { error: paint.red, warning: paint.yellow, info: paint.dim };
  const told = remedy === '' ? found : `${found} ${remedy}`;
  return `${colours[severity](severity.padEnd(width))}  ${paint.bold(check)}: ${told}`;
}

/** What is only to know is no reason to fail. */
export function exitOf(findings: readonly Finding[]): number {
  return findings.some(({ severity }) => severity !== 'info') ? exit.no : exit.ok;
}
