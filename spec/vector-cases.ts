/** The inputs of the test vectors; `make-vectors.ts` computes what they give. */

/** What a key is selected from: a value, or JSON text where its spelling matters. */
export interface Input {
  readonly name: string;
  readonly selected?: unknown;
  readonly json?: string;
  readonly occurrence?: string | number;
  readonly iteration?: string;
}

/** What JSON cannot say, and is refused: the expression for people, and its value. */
export interface JavaScriptInput {
  readonly name: string;
  readonly javascript: string;
  readonly value: unknown;
}

const notice = ['delivery-notice', 1042, 'ada@example.org'];

const parts: readonly Input[] = [
  { name: 'three strings', selected: ['delivery-notice', 'order-7', 'customer-12'] },
  { name: 'a number between strings', selected: notice },
  { name: 'the same number as a string', selected: ['delivery-notice', '1042', 'ada@example.org'] },
  { name: 'a string alone', selected: 'order-7' },
  { name: 'a number alone', selected: 7 },
  { name: 'a boolean alone', selected: true },
  { name: 'booleans', selected: [true, false] },
  { name: 'strings that look like booleans', selected: ['true', 'false'] },
  { name: 'parts are never joined: a-b, c', selected: ['a-b', 'c'] },
  { name: 'parts are never joined: a, b-c', selected: ['a', 'b-c'] },
  { name: 'parts are never joined: a,b', selected: ['a,b'] },
  { name: 'an array in an array', selected: [['a'], 'b'] },
  { name: 'a space is not empty', selected: [' '] },
  { name: '100 levels', json: `${'['.repeat(100)}1${']'.repeat(100)}` },
  { name: 'white space of the text does not count', json: '[ "a" ,\n\t1 ]\r\n' },
];

const objects: readonly Input[] = [
  {
    name: 'names out of order, at every depth',
    selected: { to: { zip: '00184', city: 'Rome' }, order: [{ b: 1, a: { d: true, c: false } }] },
  },
  {
    name: 'the same names in order',
    selected: { order: [{ a: { c: false, d: true }, b: 1 }], to: { city: 'Rome', zip: '00184' } },
  },
  { name: 'a name that begins another', selected: { ab: 1, a: 2, 'a ': 3, aa: 4, '': 5 } },
  { name: 'capitals come first', selected: { b: 1, B: 2, a: 3, A: 4, _: 5 } },
  { name: 'numbers as names are sorted as text', selected: { 9: 'a', 10: 'b', 1: 'c', '-1': 'd' } },
  {
    name: 'names by UTF-16 code units, not by code points',
    selected: { '\uffee': 1, '\u{1f600}': 2, '\ue000': 3, '\ud7ff': 4 },
  },
  {
    name: 'the names of RFC 8785',
    selected: {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\u{1f600}': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    },
  },
  { name: 'names that need escapes', selected: { '"': 1, '\\': 2, '\n': 3, '\u0001': 4 } },
  {
    name: 'names that mean something in JavaScript',
    json: '{"toJSON":"a","__proto__":"b","constructor":"c","length":1}',
  },
  { name: 'of two equal names the last one counts', json: '{"a":1,"b":2,"a":3}' },
];

const strings: readonly Input[] = [
  { name: 'an accent, composed', selected: ['caf\u00e9'] },
  { name: 'an accent, combining: another key', selected: ['cafe\u0301'] },
  { name: 'an astral character', selected: ['\u{1f4e7}'] },
  { name: 'a family of emoji', selected: ['\u{1f469}\u200d\u{1f469}\u200d\u{1f467}'] },
  { name: 'right to left', selected: ['\u05e9\u05dc\u05d5\u05dd', '\u202eabc'] },
  { name: 'a byte order mark and noncharacters', selected: ['\ufeff', '\ufffe\uffff\u{10ffff}'] },
  {
    name: 'U+2028, U+2029, DEL and C1 controls stay',
    selected: ['\u2028\u2029\u007f\u0080\u009f'],
  },
  {
    name: 'control characters are escaped',
    selected: Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join(''),
  },
  { name: 'quotes and backslashes, and no slash', selected: ['"\\/\'<>&'] },
  { name: 'escapes in the text', json: String.raw`["\u0041\u00e9\ud83d\ude00\/\u002F\b"]` },
];

const numbers: readonly Input[] = [
  0,
  1,
  -1,
  100,
  0.1,
  1.5,
  -2.5,
  4.35,
  1e-6,
  1e-7,
  1.5e-7,
  0.30000000000000004,
  1.2345e-300,
  5e-324,
  2.2250738585072014e-308,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER,
  333333333.3333333,
  1234.5678,
].map((number) => ({ name: `the number ${number}`, selected: ['n', number] }));

const spellings =
  '-0 -0.0 1.0 1E2 10e-1 1e-400 0.1000000000000000055511151231257827 0.000001 0.0000001 ' +
  '9007199254740991 9007199254740991.0 900719925474099.1e1 333333333.33333329';
const spelledNumbers: readonly Input[] = spellings
  .split(' ')
  .map((number) => ({ name: `the text ${number}`, json: `["n",${number}]` }));

const forms: readonly Input[] = [
  { name: 'occurrence: a number', selected: notice, occurrence: 2 },
  { name: 'occurrence: the same number as a string', selected: notice, occurrence: '2' },
  { name: 'occurrence: zero', selected: notice, occurrence: 0 },
  { name: 'occurrence: a date', selected: notice, occurrence: '2026-11-25T09:00:00.000Z' },
  { name: 'occurrence of a string', selected: 'order-7', occurrence: 1 },
  { name: 'occurrence of an object', selected: { order: 7 }, occurrence: '\u{1f4e7}' },
  {
    name: 'iteration of a job scheduler',
    selected: ['weekly-digest', 'ada@example.org'],
    iteration: 'repeat:digest:1795597200000',
  },
  {
    name: 'the next iteration',
    selected: ['weekly-digest', 'ada@example.org'],
    iteration: 'repeat:digest:1796202000000',
  },
];

export const inputs: readonly Input[] = [
  ...parts,
  ...objects,
  ...strings,
  ...numbers,
  ...spelledNumbers,
  ...forms,
];

export const refusedInputs: readonly Input[] = [
  { name: 'null', selected: null },
  { name: 'null as a part', selected: ['a', null] },
  { name: 'null as a property', selected: { order: { id: null } } },
  { name: 'an empty string', selected: '' },
  { name: 'an empty string as a part', selected: ['a', ''] },
  { name: 'an empty array', selected: [] },
  { name: 'an empty array as a part', selected: ['a', []] },
  { name: 'an empty object', selected: {} },
  { name: 'an empty object as a property', selected: { a: {} } },
  { name: 'deep inside', selected: { a: [{ b: ['c', ''] }] } },
  { name: 'under the empty name', selected: { '': '' } },
  { name: 'a lone high surrogate', selected: ['a\ud800'] },
  { name: 'a lone low surrogate', selected: ['\udc00a'] },
  { name: 'a surrogate pair the wrong way round', selected: ['a', '\udc00\ud800'] },
  { name: 'a property name with a lone surrogate', selected: { a: { '\ud800': 'a' } } },
  { name: 'a number beyond all doubles', json: '["a",1e400]' },
  { name: 'a negative number beyond all doubles', json: '{"n":-1e400}' },
  { name: 'an integer beyond all doubles', json: `[1${'0'.repeat(309)}]` },
  ...[
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '9007199254740992.5',
    '1e16',
    '1e21',
    '18446744073709551615',
    '1.7976931348623157e308',
  ].map((number) => ({ name: `an integer that was rounded: ${number}`, json: `["n",${number}]` })),
  { name: 'more than 100 levels', json: `${'['.repeat(101)}1${']'.repeat(101)}` },
  { name: 'under a name that could be an address', selected: { 'ada@example.org': '' } },
  { name: 'an empty occurrence', selected: ['a'], occurrence: '' },
  { name: 'an empty iteration', selected: ['a'], iteration: '' },
  { name: 'an occurrence of nothing', selected: [], occurrence: 1 },
];

const circle: Record<string, unknown> = { a: 1 };
circle['self'] = circle;
const translated = Object.assign(['a'], { toJSON: () => ['b'] });
class Customer {
  readonly email = 'ada@example.org';
}

export const refusedInJavaScript: readonly JavaScriptInput[] = [
  { name: 'undefined', javascript: 'undefined', value: undefined },
  { name: 'a missing part', javascript: "['a', undefined]", value: ['a', undefined] },
  {
    name: 'a missing property',
    javascript: '{ order: { id: undefined } }',
    value: { order: { id: undefined } },
  },
  // oxlint-disable-next-line no-sparse-arrays
  { name: 'a hole', javascript: "[, 'a']", value: [, 'a'] },
  { name: 'NaN', javascript: "['a', NaN]", value: ['a', Number.NaN] },
  {
    name: 'negative infinity',
    javascript: '{ n: -Infinity }',
    value: { n: Number.NEGATIVE_INFINITY },
  },
  { name: 'a bigint', javascript: '{ n: 7n }', value: { n: 7n } },
  { name: 'a symbol', javascript: "[Symbol('a')]", value: [Symbol('a')] },
  { name: 'a function', javascript: "[() => 'a']", value: [() => 'a'] },
  { name: 'a date', javascript: '{ at: new Date(7) }', value: { at: new Date(7) } },
  { name: 'a map', javascript: "[new Map([['a', 1]])]", value: [new Map([['a', 1]])] },
  {
    name: 'an instance of a class',
    javascript: '{ to: new Customer() }',
    value: { to: new Customer() },
  },
  {
    name: 'an array with toJSON',
    javascript: "Object.assign(['a'], { toJSON })",
    value: translated,
  },
  { name: 'a boxed string', javascript: "[new String('a')]", value: [Object('a')] },
  { name: 'a circle', javascript: 'c = { a: 1 }; c.self = c', value: circle },
];
