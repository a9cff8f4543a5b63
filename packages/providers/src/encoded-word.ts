/**
 * @internal Encodes a name that is not ASCII as encoded words (RFC 2047) of at most 75 characters.
 */
export function encodedWords(name: string): string {
  if (/^[ -~]*$/.test(name)) return name;
  const words: string[] = [];
  let part = '';
  for (const char of name) {
    // 45 bytes are 60 characters of base64, plus 12 around them. No character is split.
    if (Buffer.byteLength(part + char) > 45) {
      words.push(part);
      part = '';
    }
    part += char;
  }
  words.push(part);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}
