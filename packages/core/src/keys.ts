import { hash, randomFillSync } from 'node:crypto';
import * as canonicalizeModule from 'canonicalize';
import { KeyError } from './errors.ts';
import { describe } from './store/check-options.ts';

/**
 * Derives the idempotency key of an email: canonical JSON (RFC 8785) -> SHA-256 -> 128 bits as 22
 * characters of base64url. Parts are never joined, so `['a-b', 'c']` and `['a', 'b-c']` differ.
 *
 * Accepts strings, finite numbers (integers up to 2^53 - 1), booleans, and plain objects and arrays
 * of them.
 * @throws {KeyError} for anything that is missing, empty or not JSON, with the path to it. A
 *   missing part would give many emails the same key, and all but one of them would be lost.
 *
 * @example deriveKey(['delivery-notice', 'order-7', 'customer-12'])
 */
export function deriveKey(value: unknown): string {
  checkPart(value, 'key', new Set());
  return hash128(canonicalJson(value));
}

/** Whether a value has the form of a key from {@link deriveKey}. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{22}$/.test(value);
}

/**
 * The id of the BullMQ job that `delayedEmails()` adds for an email. BullMQ takes neither integers
 * nor colons as ids; a key may begin with a digit, so it has a prefix.
 *
 * @example await queue.getJob(jobIdOf(deriveKey(['delivery-notice', 'order-7'])))
 */
export function jobIdOf(key: string): string {
  return `email-${key}`;
}

/**
 * The Message-ID that every attempt of an email carries, with its angle brackets (RFC 5322, 3.6.4).
 *
 * @example messageIdOf(deriveKey(['delivery-notice', 'order-7']), 'shop.example')
 */
export function messageIdOf(key: string, domain: string): string {
  return `<${Buffer.from(key, 'base64url').toString('hex')}@${domain}>`;
}

/**
 * The key of the email that has this Message-ID, with or without angle brackets. Undefined if it
 * was not made by {@link messageIdOf}.
 *
 * A sender that dies after the dispatch leaves no Message-ID in the record. A mail log has it.
 *
 * @example
 * const key = keyOfMessageId('<5f569ab94c7736ba1c119cf9850fd0b1@shop.example>');
 * const record = key && (await ledger.read(key));
 */
export function keyOfMessageId(messageId: string): string | undefined {
  const [, hex] = /^<?([0-9a-f]{32})@[^@]+$/.exec(messageId) ?? [];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex').toString('base64url');
}

/**
 * A Message-ID without its angle brackets: some providers report it that way.
 * See {@link messageIdOf}.
 */
export function bareMessageId(messageId: string): string {
  return messageId.replace(/^<|>$/g, '');
}

/**
 * Makes the token of one attempt: 96 random bits, 16 characters of base64url. Tokens are compared
 * under one key only. See {@link Attempt.token}.
 */
export function createToken(): string {
  // Drawn for many tokens at once: the system call is the dearest part of a job's claim.
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  return pool.toString('base64url', drawn, (drawn += 12));
}

const pool = Buffer.alloc(12 * 256);
let drawn = pool.length;

/**
 * The characters of a key: base64url. The first one of a key is its shard.
 * See {@link deriveKey}.
 */
export const KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * 128 bits of SHA-256, as 22 characters of base64url.
 * See {@link deriveKey}.
 */
export function hash128(text: string): string {
  // In one call, which is three times as fast as by way of bytes. The 22nd character has two bits
  // of the 16th byte; its other four are of the next one and become zero.
  const whole = hash('sha256', text, 'base64url');
  return whole.slice(0, 21) + KEY_ALPHABET[KEY_ALPHABET.indexOf(whole[21]!) & 0b110000]!;
}

type Canonicalize = (value: unknown) => string | undefined;

// Release 2.1, because 5.x needs Node 22 and Node 20.19 is supported here. 3.x and 4.x are ESM,
// which Jest does not load from node_modules unless its configuration transforms them. The output
// is the same. In ESM, the function is the default export. If Jest compiles this file to CommonJS
// without `esModuleInterop`, the module itself is the function, and it has no `default`.
const loaded = canonicalizeModule as unknown as Canonicalize & { default?: Canonicalize };
const canonicalize = loaded.default ?? loaded;

/** RFC 8785 canonical JSON of a value that was checked before. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new KeyError('The value has no JSON form.');
  return text;
}

/**
 * Checks one part of a key or payload, and all below it.
 * JSON would turn `undefined`, NaN, dates and class instances into something else without a word.
 */
export function checkPart(
  value: unknown,
  path: string,
  above: Set<object>,
  emptyAllowed = false,
): void {
  switch (typeof value) {
    case 'string':
      if (value === '' && !emptyAllowed) throw unusable(path, 'is an empty string');
      if (!value.isWellFormed())
        throw unusable(path, 'is not well-formed Unicode (a lone surrogate)');
      return;
    case 'number':
      if (!Number.isFinite(value)) throw unusable(path, `is ${value}`);
      // JSON.parse has rounded it: two ids would be one key, and one of their emails lost.
      if (!emptyAllowed && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw unusable(path, 'is an integer beyond 2^53 - 1 (convert it to a string)');
      }
      return;
    case 'boolean':
      return;
    case 'object':
      if (value === null) {
        if (emptyAllowed) return;
        throw unusable(path, 'is null');
      }
      return checkParts(value, path, above, emptyAllowed);
    default:
      if (value === undefined && emptyAllowed && above.size > 0) return;
      throw unusable(path, `is ${describe(value)}`);
  }
}

function checkParts(value: object, path: string, above: Set<object>, emptyAllowed: boolean): void {
  if (above.has(value)) throw unusable(path, 'contains itself');
  if (above.size === DEEPEST) throw unusable(path, `is nested more than ${DEEPEST} levels deep`);
  checkPlain(value, path);
  above.add(value);
  if (Array.isArray(value)) {
    if (value.length === 0 && !emptyAllowed) throw unusable(path, 'is an empty array');
    for (const [index, part] of value.entries()) {
      checkPart(part, `${path}[${index}]`, above, emptyAllowed);
    }
  } else {
    const parts = Object.entries(value);
    if (parts.length === 0 && !emptyAllowed) throw unusable(path, 'is an empty object');
    for (const [name, part] of parts) {
      if (!name.isWellFormed()) {
        throw unusable(path, 'has a property name that is not well-formed Unicode');
      }
      checkPart(part, `${path}.${shown(name)}`, above, emptyAllowed);
    }
  }
  above.delete(value);
}

/** JSON would call a method `toJSON`, and take what it returns. */
function checkPlain(value: object, path: string): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of a plain object has none itself, also where it comes from another realm (Jest).
  if (!Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    const kind = value.constructor?.name || 'unknown class';
    throw unusable(path, `is an instance of ${kind}, not plain JSON (convert it to a string)`);
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    throw unusable(path, 'has a method "toJSON" (convert it to plain JSON)');
  }
}

const DEEPEST = 100;

/** A property name in a path; one that is no identifier could be an address. */
function shown(name: string): string {
  return /^[\w$-]{1,64}$/.test(name) ? name : '?';
}

function unusable(path: string, what: string): KeyError {
  return new KeyError(
    `"${path}" ${what}. Nothing was sent. A key is made of non-empty strings, finite numbers, booleans, ` +
      'and plain objects and arrays of them; select parts that every such job has.',
  );
}
