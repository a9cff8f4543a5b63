import { listAtMost } from '@sendonce/core/inspect';
import type { Redis } from 'ioredis';
import { escapeIdentifier, type Pool } from 'pg';
import type { Backend } from './backend.ts';
import { exitCodes, stripControls, type Terminal } from './terminal.ts';
import { wrap } from './wrap.ts';

/** Says that a ledger and its journal are empty: the command may have looked at the wrong place. */
export interface NothingKnown {
  /** Where the command has looked. Never with a password. */
  readonly location: string;
  /** What to check: a sentence. */
  readonly check: string;
}

/** Undefined if the ledger or the journal has anything, or if that cannot be found out. */
export async function findNothingKnown(backend: Backend): Promise<NothingKnown | undefined> {
  const isEmpty = await (backend.isEmpty ?? (() => isSilent(backend)))();
  if (!isEmpty) return undefined;
  const check =
    'Check the server, the database number or name, --prefix or --schema, and --journal. ' +
    'Before the first email, nothing is known.';
  return { location: backend.location, check };
}

export function describeNothingKnown({ location, check }: NothingKnown): string {
  return `Nothing is known at ${stripControls(location)}. ${check}`;
}

/** Reports it to people. With --json, the command puts it into its object instead. */
export function reportNothingKnown(nothingKnown: NothingKnown, terminal: Terminal): number {
  terminal.err(wrap(describeNothingKnown(nothingKnown), terminal));
  return exitCodes.nothingKnown;
}

/** For a ledger of your own: no email is open, and the journal has counted nothing. */
async function isSilent({ ledger, journal }: Backend): Promise<boolean> {
  if (!journal) return false;
  const { records, unreadable } = await listAtMost(ledger, 'open', 1);
  return records.length === 0 && !unreadable && (await journal.counts(0)).length === 0;
}

/** SCAN is used only where nothing was found, and not for longer than this. */
const SCAN_FOR_MS = 5_000;

/** Whether a Redis has no key of the ledger or the journal. Undefined if it has too many others. */
export async function hasNoKeys(client: Redis, prefix: string): Promise<boolean | undefined> {
  const match = `${prefix.replaceAll(/[[\]*?\\^]/g, '\\$&')}:{*`;
  const untilMs = Date.now() + SCAN_FOR_MS;
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', match, 'COUNT', 1000);
    if (keys.length > 0) return false;
    cursor = next;
  } while (cursor !== '0' && Date.now() < untilMs);
  return cursor === '0' ? true : undefined;
}

/** Whether the table of the ledger is empty. */
export async function hasNoRows(pool: Pool, schema: string): Promise<boolean> {
  const table = `${escapeIdentifier(schema)}.records`;
  const { rows } = await pool.query<{ known: boolean }>(
    `SELECT EXISTS (SELECT FROM ${table}) AS known`,
  );
  return rows[0]?.known === false;
}

/** Whether all stores are empty. False if one of them is not, or cannot say. */
export async function areEmpty(
  stores: readonly (() => Promise<boolean | undefined>)[],
): Promise<boolean> {
  for (const isEmpty of stores) {
    // Without the right to look, a role cannot say that nothing is there.
    if ((await isEmpty().catch(() => undefined)) !== true) return false;
  }
  return true;
}
