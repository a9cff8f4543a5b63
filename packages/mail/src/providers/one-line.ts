/**
 * @internal A line break in a name, a subject or a header becomes a space, as nodemailer does it.
 */
export function oneLine(value: unknown): string {
  return String(value).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
