import type { Readable } from 'node:stream';

// The part of nodemailer that is used here, as structural types: the types of nodemailer 10 and
// @types/nodemailer (6 to 9) differ, and both must fit.

/** The argument of a `'stream'` plugin. nodemailer's own `MailMessage` fits. */
export interface StreamPluginMail {
  readonly mailer: { readonly transporter: object };
  readonly data: object;
  readonly message: StreamPluginMessage;
}

/** The compiled message. nodemailer's own `MimeNode` fits. */
export interface StreamPluginMessage {
  createReadStream(): Readable;
  getEnvelope(): { readonly to?: unknown; readonly from?: unknown };
  messageId(): string;
}

/** A plugin for nodemailer's `transporter.use('stream', plugin)`, see {@link dispatchAtSend}. */
export type StreamPlugin = (
  mail: StreamPluginMail,
  callback: (error?: Error | null) => void,
) => void;

/** @internal The parts of MimeNode that are missing in the types of some versions. */
export interface MimeRoot extends StreamPluginMessage {
  baseBoundary: string;
  readonly childNodes?: readonly unknown[];
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  getAddresses(): Readonly<
    Partial<Record<'from' | 'to' | 'cc' | 'bcc', readonly { readonly address?: string }[]>>
  >;
}

/** @internal The callback of a transport's send(). */
export type SendCallback = (error: Error | null, info?: SentInfo) => void;

/** @internal What nodemailer knows of the server's replies for the recipients. */
export interface Replies {
  readonly accepted?: unknown;
  readonly rejected?: unknown;
  readonly rejectedErrors?: readonly { readonly responseCode?: unknown }[];
}

/** @internal The result of nodemailer's own transports. */
export interface SentInfo extends Replies {
  readonly response?: unknown;
  readonly messageId?: unknown;
}

/** @internal */
export interface MailTransport {
  readonly name?: unknown;
  readonly version?: unknown;
  send: (mail: object, callback: SendCallback) => unknown;
}

/**
 * @internal Whether a transport is one of nodemailer's SMTP transports, plain or pooled. They write
 * the message to the network while they read it. Other transports may not.
 */
export function isSmtp(transport: MailTransport): boolean {
  const { name, version } = transport;
  const smtpName = name === 'SMTP' || name === 'SMTP (pool)';
  return smtpName && typeof version === 'string' && version.includes('[client:');
}
