/** @internal Replaces line breaks and control characters by a space, as nodemailer does. */
export function oneLine(value: unknown): string {
  return String(value).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
