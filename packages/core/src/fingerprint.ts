import { hash } from 'node:crypto';
import { canonicalJson, checkPart } from './keys.ts';

/**
 * Hashes the payload that must not change under one key: one short hash per top-level field, so
 * that a conflict can name the fields that differ and never their values. 36 bits each, salted with
 * the key: enough to notice a change, too little to give the content away.
 *
 * Unlike in a key, empty values and null are allowed, and undefined fields are skipped.
 * @throws {KeyError} when the payload is not plain JSON, with the path.
 *
 * @example fingerprintOf({ to: order.email, total: order.total }, key)
 */
export function fingerprintOf(payload: unknown, key: string): string {
  checkPart(payload, 'fingerprint', new Set(), true);
  // As the queue stores it: undefined fields are gone, a hole in an array is null.
  const stored = JSON.parse(JSON.stringify(payload)) as unknown;
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) {
    return `=${shortHash(stored, key)}`;
  }
  return hashFields(stored, key);
}

/** The fingerprint of fields that were checked before. See {@link fingerprintOf}. */
export function hashFields(fields: object, key: string): string {
  const entries = Object.entries(fields);
  // Never an empty text: a store may take it for a missing fingerprint.
  if (entries.length === 0) return `=${shortHash({}, key)}`;
  return entries
    .map(([name, value]) => `${encodeURIComponent(name)}=${shortHash(value, key)}`)
    .toSorted()
    .join('&');
}

/**
 * Names the fields in which two fingerprints differ.
 * See {@link fingerprintOf}.
 */
export function differingFields(one: string, other: string): string[] {
  const left = parse(one);
  const right = parse(other);
  const names = new Set([...left.keys(), ...right.keys()]);
  return [...names].filter((name) => left.get(name) !== right.get(name)).map(nameOrWhole);
}

function parse(fingerprint: string): Map<string, string> {
  return new Map(fingerprint.split('&').map(parseField));
}

/**
 * Of a fingerprint that does not come from `fingerprintOf()` no part is a name that may be shown.
 */
function parseField(field: string): [name: string, hash: string] {
  const [name = '', hash] = field.split('=');
  if (hash === undefined) return ['', field];
  try {
    return [decodeURIComponent(name), hash];
  } catch {
    return ['', field];
  }
}

function nameOrWhole(name: string): string {
  if (name === '') return 'the whole payload';
  // The name of a field may be an address, and it is shown.
  return /[@\p{Cc}]/u.test(name) ? '?' : name;
}

function shortHash(value: unknown, key: string): string {
  const text = `${key}\n${canonicalJson(value)}`;
  // In one call, which is three times as fast as a Hash object.
  return hash('sha256', text, 'base64url').slice(0, 6);
}
