import { type MayHaveLeft, SendonceError } from '@sendonce/core';

/**
 * A transport did not get an email away, in a way that nodemailer does not report as an error: an
 * LMTP server refused the only recipient, or the transport threw something that is not an error.
 * Its `code` is `SENDONCE_PROVIDER`.
 */
export class MailTransportError extends SendonceError {
  override readonly name = 'MailTransportError';
  /** The code of the server's reply to the email, such as 552. */
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
