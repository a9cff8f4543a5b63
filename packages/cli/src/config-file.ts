import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isSendonceError } from '@sendonce/core';
import { checkJournal, checkLedger } from '@sendonce/core/ledger';
import type { Backend, SendonceConfig } from './backend.ts';
import { locationOptions } from './command.ts';
import { parseJson } from './json.ts';
import { UsageError } from './terminal.ts';

/** Where the emails are: the values of the location options. */
export type Location = Partial<Record<keyof typeof locationOptions, string>>;

/** The files that are read if no ledger is given. */
export const configFiles = [
  'sendonce.config.json',
  'sendonce.config.mjs',
  'sendonce.config.js',
] as const;

/** @throws {UsageError} for a file that is not a JSON object of options, or names two ledgers */
export function readJson(file: string): Location {
  const parsed = parseJson(readText(file), file);
  const allowed = Object.keys(locationOptions).filter((option) => option !== 'config');
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(
      `${file} is not understood. Expected an object with texts under ${allowed.join(', ')}.`,
    );
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  for (const [name, value] of entries) {
    if (allowed.includes(name) && typeof value === 'string' && value !== '') continue;
    throw new UsageError(
      `${file}: "${name}" is not understood. Expected texts under ${allowed.join(', ')}.`,
    );
  }
  const location = Object.fromEntries(entries) as Location;
  const ledgers = listLedgers(location);
  if (ledgers.length > 1) {
    throw new UsageError(`${file}: ${ledgers.join(' and ')} name several ledgers: give one.`);
  }
  return location;
}

/** The names of the ledgers in a location. One is expected. */
export function listLedgers(location: Location): ('redis' | 'redlock' | 'postgres')[] {
  return (['redis', 'redlock', 'postgres'] as const).filter((name) => location[name]);
}

/** @throws {UsageError} */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** @throws {UsageError} for a file that is missing, or has no default export */
export async function openModule(file: string): Promise<Backend> {
  if (!existsSync(file)) throw new UsageError(`There is no ${file}.`);
  const config = await importConfig(file);
  if (!config) throw new UsageError(`${file} has no default export { ledger, journal?, queues? }.`);
  const { ledger, journal, queues, close } = config;
  checkLedger(ledger);
  if (journal !== undefined) checkJournal(journal);
  return {
    ledger,
    journal,
    location: file,
    ...(queues && { findQueue: (name: string) => queues.find((queue) => queue.name === name) }),
    async close() {
      await journal?.flush();
      await close?.();
    },
  };
}

async function importConfig(file: string): Promise<SendonceConfig | undefined> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: SendonceConfig };
    return module.default;
  } catch (error) {
    if (isSendonceError(error)) throw error;
    // The message only: of a wrong URL, the other fields of the error show the password.
    const message = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    throw new UsageError(`${file} cannot be loaded: ${message}`);
  }
}
