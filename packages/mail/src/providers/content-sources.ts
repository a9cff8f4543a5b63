import { fileURLToPath } from 'node:url';
import type { ProviderMail } from './provider-mail.ts';
import { incompleteEmail, ProviderError } from './provider-error.ts';

/** @internal From where nodemailer may not read the content of an email. */
export interface ContentAccess {
  readonly disableFileAccess?: unknown;
  readonly disableUrlAccess?: unknown;
}

/**
 * @internal Checks from where the content of an email is to be read, before nodemailer reads it.
 *
 * nodemailer 6 and 7 read files and URLs for `normalize()` although that is disabled, and up to 8
 * the email can enable what the defaults disable. Every version ends the process by an error that
 * it throws from a timer where `path` or `encoding` is nothing that Node knows.
 * @throws {ProviderError} which shows neither path nor URL.
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

/** What one of them disables, none of the others can enable. */
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
  // As nodemailer: the content may be an object that names its source.
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

/** As nodemailer tells them apart; undefined for a location that it cannot read. */
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
    `The email was not sent: its "${field}" would be read from a ${kind}, and "${flag}" is set. Give the ` +
      'content itself.',
  );
}
