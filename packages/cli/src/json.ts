import { UNSAFE_CHARACTERS, UsageError } from './terminal.ts';

/**
 * Parses JSON that people wrote. The error does not quote the text, which may have a password.
 * @param name what the text comes from, for the error
 * @throws {UsageError}
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // V8 ends some messages with a part of the text:
    // `Unexpected token 'S', "S3CRET" is not valid JSON`.
    const reason = (error as Error).message.replace(/, (?:\.\.\.)?"[^]*$/, '');
    throw new UsageError(`${name} cannot be read as JSON: ${reason}.`);
  }
}

/**
 * The JSON of a value, with escapes for what a terminal would obey or hide. JSON.stringify()
 * escapes only the first 32 characters. The JSON has the same value.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(UNSAFE_CHARACTERS, escapeUnits);
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
