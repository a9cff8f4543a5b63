import { ResultError, UnreadableRecordError } from '../errors.ts';
import {
  DEFAULT_MAX_RESULT_BYTES,
  type Performed,
  type SharedOptions,
} from '../perform-options.ts';
import type { LedgerRecord } from '../record.ts';
import type { LostClaim } from './acquire.ts';

/** A result as JSON, or why it cannot be stored. */
export function serialise(
  value: unknown,
  { maxResultBytes = DEFAULT_MAX_RESULT_BYTES }: SharedOptions,
): { readonly json?: string; readonly error?: ResultError } {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    return {
      error: new ResultError(
        'The email was sent, but the result of the processor is not JSON (a BigInt, a cycle?). The ' +
          'email is recorded as sent, without result. Return plain data.',
        cause,
      ),
    };
  }
  if (json === undefined) return {};
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxResultBytes) return { json };
  return {
    error: new ResultError(
      `The email was sent, but its result has ${bytes} bytes of JSON, more than "maxResultBytes" ` +
        `(${maxResultBytes}). The email is recorded as sent, without result. Return less, or raise the option.`,
    ),
  };
}

/** A loss as `perform()` returns it: a duplicate has the result of the original. */
export function withResult<R>(loss: LostClaim): Performed<R> {
  return loss.state === 'duplicate' ? { ...loss, value: parseResult<R>(loss.record) } : loss;
}

function parseResult<R>({ key, result }: LedgerRecord): R | undefined {
  if (result === undefined) return undefined;
  try {
    return JSON.parse(result) as R;
  } catch {
    throw new UnreadableRecordError(key, 'its result is not JSON');
  }
}
