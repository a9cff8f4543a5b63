import { domainToASCII, domainToUnicode } from 'node:url';

const addressPart = String.raw`[^\s@<>,;:"()[\]\\]+`;
const address = String.raw`(${addressPart}@(?:${addressPart}|\[[\d.]+\]))`;
const comment = String.raw`\([^()\\]*\)`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const tag = String.raw`\[[^@<>,;:"()[\]\\]*\]`;
const name = String.raw`(?:${quoted}|${comment}|${tag}|[^<>,;:"()[\]\\])*`;

const groupName = new RegExp(String.raw`(?:${quoted}|[^@<>,;:"()[\]\\])*:`, 'uy');
const mailbox = new RegExp(
  String.raw`(?:\s*${address}|${name}<\s*${address}\s*>)\s*(?:${comment}\s*)*(?=[,;]|$)`,
  'uy',
);
const separator = /\s*([,;]|$)/uy;

/**
 * Reads the addresses of a text such as `Ada <ada@example.org>, "Bob" <bob@example.org>`,
 * if there is only one way to read it.
 *
 * In `"b@evil.example x"@example.org`, nodemailer 6 finds `b@evil.example`, and RFC 5322 an address
 * at `example.org`. Nested comments, text after `<…>` and unclosed quotes are read in different
 * ways as well. nodemailer 6 to 10 read every text that this function accepts in the same way.
 *
 * @returns undefined for a text that can be read in several ways.
 */
export function readAddressList(text: string): readonly string[] | undefined {
  const found: string[] = [];
  let position = 0;
  let inGroup = false;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const matched = pattern.exec(text);
    if (matched) position = pattern.lastIndex;
    return matched;
  };
  while (position < text.length) {
    if (!inGroup && match(groupName)) inGroup = true;
    const one = match(mailbox);
    if (one) found.push((one[1] ?? one[2])!);
    const end = match(separator);
    if (!end) return undefined;
    if (end[1] === ';') inGroup = false;
  }
  return found;
}

const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const bare = new RegExp(String.raw`^${addressPart}@(?:${addressPart}|\[[\da-z.:]+\])$`, 'iu');

/** Why an address can be read as, or looks like, another one. Undefined if it cannot. */
export function explainAmbiguity(given: string): string | undefined {
  if (invisible.test(given)) return 'contains an invisible character';
  if (!bare.test(given)) return 'is not one bare address (user@domain)';
  if (/=\?.*\?/.test(given)) return 'contains an encoded word';
  const domain = given.slice(given.lastIndexOf('@') + 1);
  return isNormalDomain(domain) ? undefined : 'has a domain that can be written in another way';
}

/** Some programs map characters of a domain before they encode it: `ｅ` to `e`, `。` to a dot. */
function isNormalDomain(domain: string): boolean {
  const lower = domain.toLowerCase();
  if (/^[!-~]+$/.test(lower) && !/(^|\.)xn--/.test(lower)) return true;
  const ascii = domainToASCII(lower);
  if (ascii === '') return false;
  return ascii === lower || domainToUnicode(ascii) === lower;
}
