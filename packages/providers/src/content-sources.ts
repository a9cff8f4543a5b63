import { fileURLToPath } from 'node:url';
import type { ProviderMail } from './provider-mail.ts';
import { incompleteEmail, ProviderError } from './provider-error.ts';

/** @internal Which sources of content nodemailer must not read. */
export interface ContentAccess {
  readonly disableFileAccess?: unknown;
  readonly disableUrlAccess?: unknown;
}

/**
 * @internal Checks the sources of an email's content before nodemailer reads them.
 *
 * In `normalize()`, nodemailer 6 and 7 read files and URLs even if that is disabled, and up to
 * version 8 an email can enable what the defaults disable. Every version throws from a timer, which
 * ends the process, if Node cannot read a `path` or an `encoding`.
 * @throws {ProviderError} The message shows neither path nor URL.
 */
export function checkContentSources(
  mail: ProviderMail,
  transport: ContentAccess,
  provider: string,
): void {
  const data = mail.data as Record<string, unknown>;
  const access = readAccess(mail, transport);
  for (const field of ['text', 'html']) checkContent(data[field], field, access, provider);
  const attachments = data['attachments'] as readonly unknown[] | undefined;
  for (const attachment of attachments ?? []) {
    checkContent(attachment, 'attachments', access, provider);
  }
}

/** What is disabled in one place. No other place can enable it. */
function readAccess({ data, mailer }: ProviderMail, transport: ContentAccess): ContentAccess {
  const { options, _defaults } = (mailer ?? {}) as Record<string, ContentAccess | undefined>;
  const given = [transport, options, _defaults, data as ContentAccess];
  return {
    disableFileAccess: given.some((one) => one?.disableFileAccess),
    disableUrlAccess: given.some((one) => one?.disableUrlAccess),
  };
}

function checkContent(
  value: unknown,
  field: string,
  access: ContentAccess,
  provider: string,
): void {
  if (!isPlainObject(value)) return;
  checkEncoding(value['encoding'], field, provider);
  // As in nodemailer, the content may be an object that names its source.
  const source = value['content'] || value;
  if (!isPlainObject(source)) return;
  const location = source['path'] || source['href'];
  if (!location) return;
  const kind = sourceKind(location);
  if (kind === undefined) throw incompleteEmail(provider, `its "${field}" has an invalid source`);
  if (kind === 'file' && access.disableFileAccess) throw refusedSource(provider, field, kind);
  if (kind === 'URL' && access.disableUrlAccess) throw refusedSource(provider, field, kind);
}

/** An object that is neither bytes nor a stream. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false;
  return typeof (value as { pipe?: unknown }).pipe !== 'function';
}

/** The kind of a location, as nodemailer decides it. Undefined if nodemailer cannot read it. */
function sourceKind(location: unknown): 'URL' | 'data' | 'file' | undefined {
  if (location instanceof URL) return isFileUrl(location) ? 'file' : undefined;
  if (typeof location !== 'string' && !Buffer.isBuffer(location)) return undefined;
  const text = String(location);
  if (/^https?:\/\//i.test(text)) {
    return typeof location === 'string' && URL.canParse(text) ? 'URL' : undefined;
  }
  if (/^data:/i.test(text)) return typeof location === 'string' ? 'data' : undefined;
  return text.includes('\0') ? undefined : 'file';
}

function isFileUrl(url: URL): boolean {
  try {
    return !fileURLToPath(url).includes('\0');
  } catch {
    return false;
  }
}

function checkEncoding(encoding: unknown, field: string, provider: string): void {
  if (!encoding) return;
  // oxlint-disable-next-line typescript/no-base-to-string
  const name = String(encoding)
    .toLowerCase()
    .replaceAll(/[-_\s]/g, '');
  if (name === 'usascii' || Buffer.isEncoding(name)) return;
  throw incompleteEmail(provider, `its "${field}" has an encoding that Node does not know`);
}

function refusedSource(provider: string, field: string, kind: 'file' | 'URL'): ProviderError {
  const [flag, code] =
    kind === 'file' ? ['disableFileAccess', 'EFILEACCESS'] : ['disableUrlAccess', 'EURLACCESS'];
  return new ProviderError(
    provider,
    { state: 'not-sent', code },
    `The email was not sent: its "${field}" would be read from a ${kind}, and "${flag}" is set. Pass the ` +
      'content itself.',
  );
}
