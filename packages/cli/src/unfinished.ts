import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { NamedDoubt } from '@sendonce/core/inspect';
import { createToken, hash128, HOUR_MS } from '@sendonce/core/ledger';
import type { Terminal } from './terminal.ts';

/**
 * The emails whose doubt this process removes before it retries their jobs. If it is killed between
 * the two, neither the ledger nor the queue knows that the job should run again. So a file names
 * them, and the next run retries their jobs.
 */
export interface Unfinished {
  /** The emails of runs that were killed. */
  readonly left: readonly NamedDoubt[];
  /** The files of runs that were killed so long ago that a person must look at the jobs. */
  readonly old: readonly string[];
  /** Call it before the verdict. */
  begin(doubt: NamedDoubt): void;
  /** Call it when the job needs nothing more. */
  end(doubt: NamedDoubt): void;
  /**
   * Removes the file, unless an email has begun and not ended. `leftDone`: also those of the runs
   * that were killed.
   */
  close(options: { readonly leftDone: boolean }): void;
}

/** Later, a record that is absent may have come to the end of its retention. */
const MAX_AGE_MS = HOUR_MS;

/** @throws if the folder cannot be written */
export function openUnfinished(location: string, { env }: Pick<Terminal, 'env'>): Unfinished {
  const folder = join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'sendonce');
  const prefix = `resolve-${hash128(location)}-`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const others = readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !isRunning(parseInt(name.slice(prefix.length))))
    .map((name) => join(folder, name))
    .map((path) => ({ path, ...readSaved(path) }));
  const fresh = others.filter(({ atMs }) => Date.now() - atMs < MAX_AGE_MS);
  const old = others.filter((other) => !fresh.includes(other) && other.doubts.length > 0);
  const file = join(folder, `${prefix}${process.pid}-${createToken()}.json`);
  const underWay = new Map<string, NamedDoubt>();

  return {
    left: fresh.flatMap(({ doubts }) => doubts),
    old: old.map(({ path }) => path),
    begin({ key, token, job }) {
      underWay.set(key, { key, token, job });
      const saved: Saved = { atMs: Date.now(), doubts: [...underWay.values()] };
      // The file is whole at every moment.
      writeFileSync(`${file}.new`, JSON.stringify(saved), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
    end: ({ key }) => void underWay.delete(key),
    close({ leftDone }) {
      const done = leftDone ? others.filter((other) => !old.includes(other)) : [];
      for (const { path } of done) rmSync(path, { force: true });
      if (underWay.size === 0) rmSync(file, { force: true });
    },
  };
}

interface Saved {
  readonly atMs: number;
  readonly doubts: readonly NamedDoubt[];
}

function readSaved(file: string): Saved {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Saved;
  } catch {
    // Killed while it wrote its first one: that verdict had not begun.
    return { atMs: 0, doubts: [] };
  }
}

/** In a container, a process often has the number of the one before it. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
