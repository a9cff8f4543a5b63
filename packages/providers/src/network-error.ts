import { errorCode } from '@sendonce/core/ledger';

interface NetworkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** Codes of TLS handshakes that failed before the request. */
const handshake =
  /^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_WRONG_VERSION_NUMBER$|HOSTNAME_MISMATCH$|INVALID_CA$)/;

/** The message of Node, whose code is ECONNRESET. */
const closedInHandshake = 'Client network socket disconnected before secure TLS connection';

/**
 * @internal Whether a failed request proves that no connection was made, so that nothing was sent.
 * fetch and axios put the network error into the cause.
 */
export function neverConnected(error: unknown): boolean {
  return provesNoConnection(error) || provesNoConnection((error as NetworkError | null)?.cause);
}

function provesNoConnection(error: unknown): boolean {
  const { code, syscall, message, errors } = (error ?? {}) as NetworkError;
  // Several addresses were tried, such as ::1 and 127.0.0.1 for localhost.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(provesNoConnection);
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || message === 'bad port') return true;
  if (typeof message === 'string' && message.startsWith(closedInHandshake)) return true;
  return typeof code === 'string' && handshake.test(code);
}

/** @internal The code of a failed fetch, a TypeError whose cause is the network error. */
export function networkErrorCode(error: unknown): string {
  const { name, cause } = (error ?? {}) as NetworkError;
  return name === 'TimeoutError' ? 'ETIMEDOUT' : errorCode(cause ?? error);
}
