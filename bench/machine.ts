import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { findRedisBinary } from '@sendonce/testkit';
import type { Machine } from './results.ts';

/**
 * Where it was measured, and with which versions: the pins of this package.
 * @param found the servers of throughput; the other parts start their own.
 */
export async function describeMachine(found: readonly string[]): Promise<Machine> {
  const servers = found.length > 0 ? found : [(await findRedisBinary()).how];
  const cores = cpus();
  const pins = readFileSync(new URL('./package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(pins) as { dependencies: Record<string, string> };
  const packages = Object.entries(dependencies).filter(([name]) => !name.startsWith('@sendonce/'));
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    servers,
    packages: Object.fromEntries(packages),
  };
}
