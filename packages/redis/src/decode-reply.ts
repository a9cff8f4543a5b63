import { isSendonceError } from '@sendonce/core';
import type { CallResult } from './durability.ts';
import type { Places } from './places.ts';
import { decodeRecord, nameOfPlace, type StoredRecord, unreadableRecord } from './record.ts';
import { unavailable } from './unavailable.ts';

/** What a script replied about one email: a status, and the record where it shows one. */
export interface Reply {
  readonly status: string;
  readonly stored?: StoredRecord;
}

// A script that replied so wrote nothing, so there is nothing to wait for.
const STATUSES_WITHOUT_WRITE: ReadonlySet<unknown> = new Set(['exists', 'expired', 'unreadable']);

/**
 * The reply about the email at `position` of a call.
 *
 * @throws {UnreadableRecordError}
 * @throws {LedgerUnavailableError} where the call or this command failed, or what it wrote is not
 *   as durable as it must be.
 */
export function decodeReply(
  { key, places }: { readonly key: string; readonly places: Places },
  result: CallResult | Error,
  position: number,
): Reply {
  if (result instanceof Error) throw isSendonceError(result) ? result : unavailable(result);
  const element = result.reply[position];
  const [status, value, remainingMs] = Array.isArray(element) ? (element as unknown[]) : [element];
  if (status === 'error') throw unavailable(new Error(String(value)));
  if (result.notDurable && !STATUSES_WITHOUT_WRITE.has(status)) throw result.notDurable;
  if (status === 'unreadable') throw unreadableRecord(key, nameOfPlace(key, places), String(value));
  if (typeof value !== 'string') return { status: String(status) };
  return {
    status: String(status),
    stored: decodeRecord(key, value, { remainingMs: Number(remainingMs), places }),
  };
}
