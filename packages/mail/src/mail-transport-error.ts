import { type MayHaveLeft, SendonceError } from '@sendonce/core';

/**
 * A transport did not send an email, and nodemailer did not report that as an error: an LMTP server
 * refused the only recipient, or the transport threw a value that is not an error. Its `code` is
 * `SENDONCE_PROVIDER`, and `mayHaveLeft` says whether the email may have been sent.
 *
 * @example if (isSendonceError(error, 'SENDONCE_PROVIDER')) console.log(error.mayHaveLeft);
 */
export class MailTransportError extends SendonceError {
  override readonly name = 'MailTransportError';
  /** The code of the server's reply, such as 552. Undefined if there is none. */
  readonly responseCode: number | undefined;

  constructor(
    mayHaveLeft: MayHaveLeft,
    message: string,
    { responseCode, cause }: { responseCode?: number; cause?: unknown } = {},
  ) {
    super('SENDONCE_PROVIDER', mayHaveLeft, message, cause);
    this.responseCode = responseCode;
  }
}
