import type { Readable } from 'node:stream';

// The little of nodemailer that is used here, by shape: its own types (10) and @types/nodemailer
// (6 to 9) differ, and both must fit.

/** What a `'stream'` plugin receives. nodemailer's own `MailMessage` fits. */
export interface StreamPluginMail {
  readonly mailer: { readonly transporter: object };
  readonly data: object;
  readonly message: StreamPluginMessage;
}

/** The compiled MIME tree. nodemailer's own `MimeNode` fits. */
export interface StreamPluginMessage {
  createReadStream(): Readable;
  getEnvelope(): { readonly to?: unknown; readonly from?: unknown };
  messageId(): string;
}

/** A plugin for `transporter.use('stream', plugin)`. */
export type StreamPlugin = (
  mail: StreamPluginMail,
  callback: (error?: Error | null) => void,
) => void;

/** @internal The parts of MimeNode that the types of some versions leave out. */
export interface MimeRoot extends StreamPluginMessage {
  baseBoundary: string;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  getAddresses(): { readonly from?: readonly { readonly address?: string }[] };
}

/** @internal What a transport's send() calls at the end. */
export type SendCallback = (error: Error | null, info?: SentInfo) => void;

/** @internal What the bundled transports resolve with. */
export interface SentInfo {
  readonly accepted?: unknown;
  readonly rejected?: unknown;
  readonly rejectedErrors?: readonly { readonly responseCode?: unknown }[];
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
 * @internal Whether a transport is one of nodemailer's own SMTP transports, plain or pooled. They
 * write the message to the network while they read it; of others nothing is known.
 */
export function isSmtp(transport: MailTransport): boolean {
  const { name, version } = transport;
  const smtpName = name === 'SMTP' || name === 'SMTP (pool)';
  return smtpName && typeof version === 'string' && version.includes('[client:');
}
