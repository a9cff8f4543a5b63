import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    packFolder: string;
  }
}

/** Gives the whole run one empty folder, which `packedPackages()` fills when a test file asks. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-packed-'));
  project.provide('packFolder', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
