import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { systems } from '../systems/index.ts';
import type { SystemName } from '../systems/names.ts';

/** `bullmq 6.7.0`, as installed: the queue, what sends, and what the systems are made of. */
export function packagesOf(names: readonly SystemName[]): string[] {
  const peers = names.flatMap((name) => systems[name].packages);
  return [...new Set(['bullmq', 'ioredis', 'nodemailer', ...peers])].map(
    (name) => `${name} ${versionOf(name)}`,
  );
}

function versionOf(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  // redlock writes it with a v.
  return version.replace(/^v/, '');
}

export function machine(): string {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}, ${memory} GB, ${process.platform}`;
}
