import { oneLine } from './one-line.ts';
import type { Provider } from './provider.ts';
import { cannotCarry } from './provider-error.ts';

/** @internal */
export interface EmailAttachment {
  readonly filename: string;
  readonly contentType: string;
  /** base64 */
  readonly content: string;
  /** The Content-ID of an inline image. */
  readonly cid: string | undefined;
}

/** @internal Refuses attachments that the API cannot carry, before anything is read. */
export function checkAttachments(given: unknown, provider: Provider): void {
  if (!Array.isArray(given) || given.length === 0) return;
  const { name, supports } = provider;
  if (!supports.attachments) throw cannotCarry(name, 'it has attachments');
  for (const attachment of given as Record<string, unknown>[]) {
    if (attachment['raw']) throw cannotCarry(name, 'it has a ready-made attachment ("raw")');
    if (attachment['headers']) throw cannotCarry(name, 'it has an attachment with headers');
    const cid = Boolean(attachment['cid']);
    if (cid && !supports.inlineImages) throw cannotCarry(name, 'it has an inline image ("cid")');
    if (!cid && attachment['contentDisposition'] === 'inline') {
      throw cannotCarry(name, 'it has an inline attachment without "cid"');
    }
  }
}

/** @internal The attachments of a normalised message. */
export function readAttachments(given: unknown, provider: string): EmailAttachment[] {
  if (!Array.isArray(given)) return [];
  return (given as Record<string, unknown>[]).map((attachment) => {
    const { filename, contentType, content, encoding, cid } = attachment;
    return {
      filename: oneLine(filename ?? 'attachment'),
      contentType: oneLine(contentType || 'application/octet-stream'),
      content: base64(content, encoding, provider),
      cid: cid ? oneLine(cid) : undefined,
    };
  });
}

/** The content as base64. nodemailer has encoded everything but plain strings. */
function base64(content: unknown, encoding: unknown, provider: string): string {
  if (typeof content === 'string') {
    return encoding === 'base64' ? content : Buffer.from(content, 'utf8').toString('base64');
  }
  const inner = (content as { content?: unknown } | null | undefined)?.content;
  // For an empty attachment, nodemailer leaves the object.
  if (inner === '' || content === undefined || content === null) return '';
  throw cannotCarry(provider, 'it has an attachment without content');
}
