import { isSendonceError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord } from '../record.ts';
import { checkOneOf } from './check-options.ts';

/**
 * Checks the `state` that {@link Ledger.list} is asked for.
 * @throws {OptionError}
 */
export function checkListState(state: unknown): void {
  checkOneOf('state', state, ['open', 'in-doubt']);
}

/** Whether `list` shows this record. */
export function isListed(
  record: LedgerRecord | undefined,
  state: 'open' | 'in-doubt',
): record is LedgerRecord {
  return record?.state === 'in-doubt' || (state === 'open' && record?.state === 'dispatched');
}

/**
 * How many records or operations a store asks for in one command: about 1 ms of work for a server.
 * See {@link listRecords}.
 */
export const MAX_BATCH = 250;

/**
 * The body of `list`: reads the records of an index in pages. If a record cannot be read, its error
 * is thrown after all the other records, so that it does not hide them.
 * @param keys all of them, or pages of them, of which each is read when the one before it is over.
 *
 * @example
 * async *list({ state }) {
 *   yield* listRecords(await openKeys(), ledger, state);
 * }
 */
export async function* listRecords(
  keys: readonly string[] | AsyncIterable<readonly string[]>,
  ledger: Pick<Ledger, 'read'>,
  state: 'open' | 'in-doubt',
): AsyncGenerator<LedgerRecord> {
  checkListState(state);
  let unreadable: unknown;
  for await (const some of Symbol.iterator in keys ? [keys] : keys) {
    for (let start = 0; start < some.length; start += MAX_BATCH) {
      const page = some.slice(start, start + MAX_BATCH).map((key) => ledger.read(key));
      for (const found of await Promise.allSettled(page)) {
        if (found.status === 'rejected') {
          if (!isSendonceError(found.reason, 'SENDONCE_UNREADABLE_RECORD')) throw found.reason;
          unreadable ??= found.reason;
        } else if (isListed(found.value, state)) {
          yield found.value;
        }
      }
    }
  }
  if (unreadable) throw unreadable;
}
