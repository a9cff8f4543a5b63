import type { Readable } from 'node:stream';
import type { Claim } from '@sendonce/core';

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

/**
 * @internal On the provider transports of this package. They hold their own email to its claim, so
 * the plugin only checks. A global symbol, because two copies of the package may be loaded.
 */
export const providerMark = Symbol.for('@sendonce/mail/provider-transport');

/** @internal */
export function isProvider(transport: object): boolean {
  return providerMark in transport;
}

const claimKey = Symbol.for('@sendonce/mail/claim');

/** @internal For the transport: another plugin may lose the asynchronous context in between. */
export function attachClaim(mail: object, claim: Claim): void {
  Object.assign(mail, { [claimKey]: claim });
}

/** @internal The claim that the plugin saw. */
export function attachedClaim(mail: object): Claim | undefined {
  return (mail as { [claimKey]?: Claim })[claimKey];
}
