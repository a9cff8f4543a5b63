import { isSendonceError, type SendonceError } from '@sendonce/core';
import { sqlState, unavailableError } from './errors.ts';
import type { Queryable } from './pool.ts';
import { missingRightsError } from './rights.ts';
import { otherVersionError } from './schema-version.ts';

/**
 * Turns the error of a statement into the error that the ledger throws.
 * @param queryable answers why the statement was rejected
 * @param schema quoted
 */
export async function toLedgerError(
  error: unknown,
  queryable: Queryable,
  schema: string,
): Promise<SendonceError> {
  if (isSendonceError(error)) return error;
  switch (sqlState(error)) {
    case '42501':
      return missingRightsError(error, queryable, schema);
    // A function, a table or the schema is not there, or `act` was given another format than its
    // own.
    case '42883':
    case '42P01':
    case '3F000':
    case 'SND02':
      return (await otherVersionError(queryable, schema)) ?? unavailableError(error);
    default:
      return unavailableError(error);
  }
}
