import { isSendonceError } from './errors.ts';

/**
 * The error of a client as the cause of one of ours: its name, message, code and stack. Clients
 * keep the command in their errors, and with it the data of the job: the address and the body of
 * the email.
 *
 * @example throw new LedgerUnavailableError('The store did not answer.', bareError(error));
 */
export function bareError(error: unknown): Error {
  if (isSendonceError(error)) return error;
  try {
    return copyOf(error);
  } catch {
    return new Error('an error that cannot be shown');
  }
}

function copyOf(error: unknown): Error {
  const given: Error & { readonly code?: unknown } =
    error instanceof Error ? error : new Error(String(error));
  const { name, message, stack, code } = given;
  const bare = Object.assign(new Error(message), { name, stack });
  return code === undefined ? bare : Object.assign(bare, { code });
}
