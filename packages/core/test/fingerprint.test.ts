import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveKey, fingerprintOf } from '../src/index.ts';
import { createToken } from '../src/store/index.ts';
import { differingFields } from '../src/fingerprint.ts';

const key = deriveKey(createToken());
const name = fc.string({ unit: 'grapheme' }).filter((text) => !/[@\p{Cc}]/u.test(text));
const payload = fc.dictionary(name, fc.jsonValue(), { maxKeys: 6 });

describe('a fingerprint', () => {
  test('is the same for the same payload, in any order of its fields', () => {
    fc.assert(
      fc.property(payload, (fields) => {
        const turned = Object.fromEntries(Object.entries(fields).toReversed());
        expect(fingerprintOf(turned, key)).toBe(fingerprintOf(fields, key));
        expect(differingFields(fingerprintOf(turned, key), fingerprintOf(fields, key))).toEqual([]);
      }),
    );
  });

  test('names the field that changed, and only that one', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(payload, name, fc.string(), fc.string(), (fields, field, before, after) => {
        // A name that may be an address is not shown.
        fc.pre(before !== after && !/[@\p{Cc}]/u.test(field));
        const one = fingerprintOf({ ...fields, [field]: before }, key);
        const other = fingerprintOf({ ...fields, [field]: after }, key);
        expect(one).not.toBe(other);
        expect(differingFields(one, other)).toEqual([field]);
      }),
    );
  });

  test('names a field that came or went', () => {
    const one = fingerprintOf({ to: 'ada@x.example', total: 7 }, key);
    const other = fingerprintOf({ to: 'ada@x.example', 'über & =%': true }, key);
    expect(differingFields(one, other).toSorted()).toEqual(['total', 'über & =%']);
  });

  test('does not give the content away: it names fields, holds no value and is salted', () => {
    const fields = { to: 'ada@secret.example', note: '' };
    const text = fingerprintOf(fields, key);
    expect(text).toMatch(/^note=[\w-]{6}&to=[\w-]{6}$/);
    expect(fingerprintOf(fields, deriveKey(createToken()))).not.toBe(text);
  });

  test('allows empty values and null, and skips undefined', () => {
    const text = fingerprintOf({ a: '', b: null, c: [], d: {}, e: undefined }, key);
    expect(text.split('&').map((field) => field.split('=')[0])).toEqual(['a', 'b', 'c', 'd']);
    expect(differingFields(text, fingerprintOf({ a: '', b: null, c: [], d: {} }, key))).toEqual([]);
  });

  test('of a payload is that of the same payload behind the queue', () => {
    // oxlint-disable-next-line no-sparse-arrays
    const payload = { items: [, 1], gone: undefined, zero: -0, big: 1e21 };
    const stored: unknown = JSON.parse(JSON.stringify(payload));
    expect(fingerprintOf(payload, key)).toBe(fingerprintOf(stored, key));
  });

  test.each([[[1, 2]], ['text'], [7], [null]])('of %j covers the whole payload', (value) => {
    const other = fingerprintOf('another', key);
    expect(differingFields(fingerprintOf(value, key), other)).toEqual(['the whole payload']);
  });

  test('is never empty, so that no store takes it for a missing one', () => {
    expect(fingerprintOf({}, key)).not.toBe('');
    expect(fingerprintOf({ a: undefined }, key)).not.toBe('');
    expect(fingerprintOf({}, key)).not.toBe(fingerprintOf({ a: 1 }, key));
  });

  test.each<[string, unknown, string]>([
    ['a missing payload', undefined, '"fingerprint" is undefined'],
    ['a date', { at: new Date(7) }, '"fingerprint.at" is an instance of Date'],
    ['a bigint', { lines: [{ n: 1n }] }, '"fingerprint.lines[0].n" is a value of type bigint'],
    ['a name that is not well-formed', { '\ud800': 'secret' }, '"fingerprint'],
  ])('refuses %s by its path', (_, value, message) => {
    const run = () => fingerprintOf(value, key);
    expect(run).toThrow(expect.objectContaining({ code: 'SENDONCE_KEY' }));
    expect(run).toThrow(message);
    expect(run).not.toThrow('secret');
  });
});

test.each([
  ['50%', '60%'],
  ['ada@shop.example', 'bob@shop.example'],
  ['%=1', '%=2'],
])('texts that do not come from fingerprintOf() differ as a whole: %s and %s', (one, other) => {
  expect(differingFields(one, other)).toEqual(['the whole payload']);
});

test('a field whose name could be an address is not shown', () => {
  const [one, other] = [1, 2].map((n) => fingerprintOf({ 'ada@example.org': n }, 'key'));
  expect(differingFields(one!, other!)).toEqual(['?']);
});
