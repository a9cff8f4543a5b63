import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { describe, expect, test } from 'vitest';
import { decodeStanding, encodeFields } from '../src/record.ts';

const key = deriveKey('order 4711');
const job = `email-${key}`;
const id = `<${Buffer.from(key, 'base64url').toString('hex')}@`;

/** As the ledger writes and reads it. */
function roundTrip(texts: Parameters<typeof encodeFields>[1]) {
  const fields = encodeFields(key, texts);
  const { record } = decodeStanding(key, `S${createToken()}1795000000000\n${fields}`, 0);
  const { key: _key, token: _token, state: _state, atMs: _at, ...read } = record;
  return { fields, read };
}

describe('the texts of a record', () => {
  test('hold what is made of the key in two characters', () => {
    const texts = { by: `notices:${job}`, messageId: `${id}shop.example.com>` };
    const { fields, read } = roundTrip(texts);
    expect(fields).toBe(String.raw`${'\n'}notices:\e${'\n'}\mshop.example.com>${'\n\n'}`);
    expect(read).toEqual(texts);
  });

  test.each([
    ['what looks as if it were shortened', String.raw`\e \m \n \\e ${'x'.repeat(40)}`],
    ['a backslash before', `\\${job}\\\\${id}\\`],
    ['a line break before the rest of it', `\n${job.slice(1)}\n${id.slice(1)}`],
    ['twice, and cut off', `${job}${job}${job.slice(0, -1)}${id}${id}${id.slice(0, -1)}`],
    ['both, over lines', `${id}\n${job}\n`],
    ['the second job of an email', `notices:${job}.2`],
    ['dollars', `$& ${job} $1 $$`],
  ])('come back as they were: %s', (_what, text) => {
    const texts = { fingerprint: text, by: text, messageId: text, note: text, result: text };
    expect(roundTrip(texts).read).toEqual(texts);
  });
});
