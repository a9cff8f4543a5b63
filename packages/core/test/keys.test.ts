import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveKey, keyOfMessageId, messageIdOf } from '../src/index.ts';
import { createToken } from '../src/store/index.ts';
import { canonicalJson } from '../src/keys.ts';

/** Anything that a key may be made of. */
const { part } = fc.letrec<{ part: unknown }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.array(tie('part'), { minLength: 1, maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('part'), { minKeys: 1, maxKeys: 4 }),
  ),
}));

describe('canonical JSON is that of RFC 8785', () => {
  test('its example of literals, numbers and strings', () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('its example of sorting by UTF-16 code units', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\u{1f600}': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const values = Object.values(JSON.parse(canonicalJson(value)) as Record<string, string>);
    expect(canonicalJson(value).match(/:"(\w+)/g)).toEqual(
      ['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew'].map((word) => `:"${word}`),
    );
    expect(values).toHaveLength(7);
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-1.7976931348623157e308, '-1.7976931348623157e+308'],
    [295147905179352830000, '295147905179352830000'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [1e23, '1e+23'],
    [0.000001, '0.000001'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
    [-0.0000033333333333333333, '-0.0000033333333333333333'],
    [333333333.3333332, '333333333.3333332'],
  ])('its number %d', (value, text) => expect(canonicalJson(value)).toBe(text));
});

function nested(levels: number): unknown {
  let value: unknown = 'a';
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe('a key', () => {
  test('is 22 characters of base64url, the same on every machine', () => {
    expect(deriveKey(['delivery-notice', 'order-7', 'customer-12'])).toBe('D3T-pF2GgD8xLtbFwko3XA');
    fc.assert(fc.property(part, (value) => /^[\w-]{22}$/.test(deriveKey(value))));
  });

  test('is made of parts that are never joined', () => {
    expect(deriveKey(['a-b', 'c'])).not.toBe(deriveKey(['a', 'b-c']));
    expect(deriveKey(['a', 'b'])).not.toBe(deriveKey(['a,b']));
    expect(deriveKey([['a'], 'b'])).not.toBe(deriveKey(['a', ['b']]));
  });

  test('tells strings from numbers and booleans', () => {
    expect(deriveKey(['7'])).not.toBe(deriveKey([7]));
    expect(deriveKey(['true'])).not.toBe(deriveKey([true]));
  });

  test('does not depend on the order of properties, at any depth', () => {
    fc.assert(
      fc.property(part, (value) => {
        expect(deriveKey(turnedAround(value))).toBe(deriveKey(value));
      }),
    );
  });

  test('survives the way through JSON, as job data does', () => {
    fc.assert(
      fc.property(part, (value) => {
        expect(deriveKey(JSON.parse(JSON.stringify(value)))).toBe(deriveKey(value));
      }),
    );
  });

  test('is the same for two values only if they are the same JSON', () => {
    fc.assert(
      fc.property(part, part, (one, other) => {
        expect(deriveKey(one) === deriveKey(other)).toBe(
          canonicalJson(one) === canonicalJson(other),
        );
      }),
    );
  });

  test('may use the same object twice', () => {
    const address = { city: 'Rome' };
    expect(deriveKey({ from: address, to: address })).toBe(
      deriveKey({ from: { city: 'Rome' }, to: { city: 'Rome' } }),
    );
  });
});

describe('a part that is no JSON is refused, by its path and never by its value', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'secret' });
  class Customer {
    readonly email = 'ada@secret.example';
  }

  test.each<[string, unknown, string]>([
    ['undefined', undefined, '"key" is undefined'],
    ['null', null, '"key" is null'],
    ['an empty string', '', '"key" is an empty string'],
    ['an empty array', [], '"key" is an empty array'],
    ['an empty object', {}, '"key" is an empty object'],
    ['a missing part', ['a', undefined], '"key[1]" is undefined'],
    ['a missing property', { order: { id: undefined } }, '"key.order.id" is undefined'],
    ['a hole', [, 'a'], '"key[0]" is undefined'], // oxlint-disable-line no-sparse-arrays
    ['NaN', ['a', Number.NaN], '"key[1]" is NaN'],
    ['Infinity', { n: Number.POSITIVE_INFINITY }, '"key.n" is Infinity'],
    ['a bigint', { n: 70_000_001n }, '"key.n" is a value of type bigint'],
    ['a function', [() => 'secret'], '"key[0]" is a value of type function'],
    ['a symbol', [Symbol('secret')], '"key[0]" is a value of type symbol'],
    ['a date', { at: new Date(7) }, '"key.at" is an instance of Date'],
    ['a map', [new Map([['secret', 1]])], '"key[0]" is an instance of Map'],
    ['an instance', { to: new Customer() }, '"key.to" is an instance of Customer'],
    ['a lone surrogate', ['secret\ud800'], '"key[0]" is not well-formed Unicode'],
    ['a circle', circle, '"key.self" contains itself'],
    [
      'an integer that was rounded',
      JSON.parse('["n",9007199254740993]'),
      '"key[1]" is an integer beyond',
    ],
    ['the same below zero', { n: -(2 ** 53) }, '"key.n" is an integer beyond 2^53 - 1'],
    ['an array with toJSON', Object.assign(['a'], { toJSON: () => 'b' }), '"key" has a method'],
    ['a hidden toJSON', hidden, '"key" has a method "toJSON"'],
    ['more than 100 levels', nested(101), 'is nested more than 100 levels deep'],
    ['20000 levels', nested(20_000), 'is nested more than 100 levels deep'],
    ['a name like an address', { 'secret@x.example': '' }, '"key.?" is an empty string'],
    ['a deep one', { a: [{ b: ['secret', ''] }] }, '"key.a[0].b[1]" is an empty string'],
  ])('%s', (_, value, message) => {
    const found = errorOf(() => deriveKey(value));
    expect(found).toMatchObject({ name: 'KeyError', code: 'SENDONCE_KEY', mayHaveLeft: 'no' });
    expect(found.message).toContain(message);
    expect(found.message).not.toMatch(/secret|70000001/);
  });

  test('100 levels are a key', () => {
    expect(deriveKey(nested(100))).toMatch(/^[\w-]{22}$/);
  });

  test('a property name that is not well-formed', () => {
    expect(errorOf(() => deriveKey({ '\ud800': 'a' }))).toMatchObject({ code: 'SENDONCE_KEY' });
  });

  test('with any value beside it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{12}$/), (secret) => {
        const found = errorOf(() => deriveKey({ to: secret, order: { to: secret, id: null } }));
        expect(found.message).toContain('"key.order.id"');
        expect(found.message).not.toContain(secret);
      }),
    );
  });
});

test('tokens are 16 characters and never the same', () => {
  const tokens = Array.from({ length: 1000 }, createToken);
  expect(new Set(tokens).size).toBe(1000);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{16}$/);
});

function turnedAround(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnedAround);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, part]) => [name, turnedAround(part)]),
  );
}

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('Expected an error.');
}

test('a Message-ID gives the key back that it was made of, and no other text does', () => {
  const key = deriveKey(['delivery-notice', 'order-7']);
  const id = messageIdOf(key, 'shop.example');
  expect(keyOfMessageId(id)).toBe(key);
  expect(keyOfMessageId(id.slice(1, -1))).toBe(key);
  for (const other of ['<7@shop.example>', key, `x${id}`, id.toUpperCase(), '<@>', '']) {
    expect(keyOfMessageId(other)).toBeUndefined();
  }
});
