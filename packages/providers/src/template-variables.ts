import { incompleteEmail } from './provider-error.ts';

/** A value of a template's variable: what JSON keeps unchanged. */
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };

/** @internal */
export type Variables = Readonly<Record<string, TemplateValue>>;

/**
 * @internal A copy of the variables with sorted names, so that the bytes are always equal.
 * Undefined if there are none.
 * @throws {ProviderError} for a value that JSON would change or leave out.
 */
export function copyVariables(given: unknown, provider: string): Variables | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isPlain(given)) {
    throw incompleteEmail(provider, 'the "variables" of its template are not a plain object');
  }
  const copy = copyValue(given, [], provider) as Variables;
  return Object.keys(copy).length > 0 ? copy : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The second is the Object.prototype of any realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const deepest = 32;

/** Copies a JSON value with sorted names. */
function copyValue(value: unknown, path: readonly string[], provider: string): TemplateValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (path.length > deepest) {
    throw incompleteEmail(provider, 'the "variables" of its template are nested too deeply');
  }
  if (Array.isArray(value)) {
    // Array.from() also visits holes, which JSON would write as null.
    return Array.from(value, (one, index) => copyValue(one, [...path, String(index)], provider));
  }
  if (!isPlain(value)) {
    const what = `its template has the variable "${shownPath(path)}", which is ${kindOf(value)}`;
    throw incompleteEmail(provider, `${what}. JSON has no such value: pass a text or a number`);
  }
  const names = Object.keys(value).sort();
  return Object.fromEntries(
    names.map((name) => [name, copyValue(value[name], [...path, name], provider)]),
  );
}

/**
 * @internal The names for an error. A name that is not an identifier is left out, because it could
 * be an address.
 */
export function shownPath(path: readonly string[]): string {
  return path.map((name) => (/^[\w-]{1,40}$/.test(name) ? name : '…')).join('.');
}

function kindOf(value: unknown): string {
  if (value instanceof Date) return 'a Date';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return isPlain(value) ? 'an object' : 'an object of a class';
  return typeof value === 'number' ? String(value) : typeof value;
}

/**
 * @internal Refuses a variable of a kind that the API does not have.
 * @throws {ProviderError}
 */
export function checkVariables(
  variables: Variables | undefined,
  provider: string,
  isKnown: (value: TemplateValue) => boolean,
): void {
  const other = Object.entries(variables ?? {}).find(([, value]) => !isKnown(value));
  if (other === undefined) return;
  const what = `the variable "${shownPath([other[0]])}" of its template is ${kindOf(other[1])}, which ${provider} does not take`;
  throw incompleteEmail(provider, what);
}

/** @internal */
export function isTextOrNumber(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
