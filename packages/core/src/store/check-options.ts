import { MAX_DURATION_MS } from '../durations.ts';
import { OptionError } from '../errors.ts';
import { suggest } from './suggest.ts';

/**
 * The names of all options of a type. The compiler refuses a list that lacks one.
 * See {@link checkNames}.
 */
export type OptionNames<T> = Readonly<Record<T extends unknown ? keyof T : never, true>>;

/**
 * Refuses options that do not exist: a misspelt one would be ignored, and its default would hold.
 * @throws {OptionError} that suggests the nearest name.
 *
 * @example checkNames('myLedger()', options, { prefix: true } satisfies OptionNames<MyOptions>);
 */
export function checkNames(taker: string, options: unknown, names: Names): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError(
      'options',
      `Expected "options" of ${taker} to be an object, got ${describe(options)}.`,
    );
  }
  const [unknown] = findUnknown(options, names);
  if (unknown !== undefined) throw unknownOption(taker, unknown, names);
}

/**
 * Refuses misspelt options of a method that may be given an object with other things in it, such as
 * the identity of an email in the caller's own form.
 * @throws {OptionError}
 * See {@link checkNames}.
 */
export function checkSpelling(taker: string, options: unknown, names: Names): void {
  if (typeof options !== 'object' || options === null) return;
  const misspelt = findUnknown(options, names).find((name) => findName(name, Object.keys(names)));
  if (misspelt !== undefined) throw unknownOption(taker, misspelt, names);
}

type Names = Readonly<Record<string, true>>;

function findUnknown(options: object, names: Names): string[] {
  return Object.keys(options).filter((name) => !Object.hasOwn(names, name));
}

function unknownOption(taker: string, unknown: string, names: Names): OptionError {
  const known = Object.keys(names);
  const nearest = findName(unknown, known);
  const hint = nearest ? `Did you mean "${nearest}"?` : `Its options are ${known.join(', ')}.`;
  return new OptionError(unknown, `${taker} has no option ${show(unknown)}. ${hint}`);
}

/** Earlier names of options, which resemble their names of today too little to be suggested. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  timeoutMs: 'answerWithinMs',
  idempotencyWindowMs: 'windowMs',
  everyMs: 'intervalMs',
  sweepEveryMs: 'intervalMs',
};

/** The option that was meant: the new name of an earlier one, or the nearest name. */
function findName(unknown: string, known: readonly string[]): string | undefined {
  const renamed = Object.hasOwn(FORMER_NAMES, unknown) ? FORMER_NAMES[unknown] : undefined;
  return renamed !== undefined && known.includes(renamed) ? renamed : suggest(unknown, known);
}

/**
 * Checks a duration: a whole number of milliseconds above zero, small enough for every store.
 * @throws {OptionError}
 *
 * @example const leaseMs = checkDuration('leaseMs', options.leaseMs ?? 30_000);
 */
export function checkDuration(option: string, value: unknown): number {
  if (
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    value > 0 &&
    value <= MAX_DURATION_MS
  ) {
    return value;
  }
  throw new OptionError(
    option,
    `Expected "${option}" to be a whole number of milliseconds from 1 to ${MAX_DURATION_MS} (100 years), got ${show(value)}.`,
  );
}

/**
 * Checks a duration that a timer waits for: longer than 24 days a timer of Node would fire at once.
 * @throws {OptionError} See {@link checkDuration}.
 */
export function checkTimer(option: string, value: unknown): number {
  const isInRange = typeof value === 'number' && value > 0 && value <= LONGEST_TIMER_MS;
  if (isInRange && Number.isSafeInteger(value)) return value;
  throw new OptionError(
    option,
    `Expected "${option}" to be a whole number of milliseconds from 1 to ${LONGEST_TIMER_MS} (12 days), got ${show(value)}.`,
  );
}

const LONGEST_TIMER_MS = 2 ** 30;

/** A third of it is the time for a heartbeat, and timers count whole milliseconds. */
const SHORTEST_LEASE_MS = 20;

/**
 * Checks the pair: an outcome must outlive the lease, or a paused sender's copy could send again.
 */
export function checkLeaseAndRetention(leaseMs: unknown, retentionMs: unknown): void {
  const lease = checkTimer('leaseMs', leaseMs);
  if (lease < SHORTEST_LEASE_MS) {
    throw new OptionError(
      'leaseMs',
      `Expected "leaseMs" to be at least ${SHORTEST_LEASE_MS} milliseconds, got ${lease}: a ledger takes longer ` +
        'to renew a lease, so emails would be in doubt. Nothing was sent. The default is 30_000 (30 seconds).',
    );
  }
  const retention = checkDuration('retentionMs', retentionMs);
  if (retention < lease) {
    throw new OptionError(
      'retentionMs',
      `Expected "retentionMs" (${retention}) to be at least "leaseMs" (${lease}): an outcome that is ` +
        'forgotten while an attempt may still hold its lease cannot stop a duplicate.',
    );
  }
}

/**
 * Checks one of a list of words.
 * @throws {OptionError}
 *
 * @example checkOneOf('state', state, ['open', 'in-doubt']);
 */
export function checkOneOf<T extends string>(
  option: string,
  value: unknown,
  words: readonly T[],
): T {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const expected = words.map((candidate) => `"${candidate}"`).join(' or ');
  throw new OptionError(option, `Expected "${option}" to be ${expected}, got ${show(value)}.`);
}

/**
 * Checks a boolean.
 * @throws {OptionError} See {@link checkOneOf}.
 */
export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new OptionError(option, `Expected "${option}" to be true or false, got ${show(value)}.`);
}

/**
 * Checks a function; `optional` accepts undefined.
 * @throws {OptionError} See {@link checkOneOf}.
 */
export function checkFunction(option: string, value: unknown, optional = false): void {
  if (typeof value === 'function' || (optional && value === undefined)) return;
  throw new OptionError(option, `Expected "${option}" to be a function, got ${describe(value)}.`);
}

/**
 * Checks an optional text.
 * @throws {OptionError} See {@link checkOneOf}.
 */
export function checkText(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new OptionError(option, `Expected "${option}" to be a string, got ${describe(value)}.`);
}

/**
 * Checks that something looks like a ledger, so that a wrong argument fails here and not mid-job.
 * @throws {OptionError} See {@link Ledger}.
 */
export function checkLedger(value: unknown): void {
  const verbs = [
    'claim',
    'dispatch',
    'settle',
    'release',
    'heartbeat',
    'read',
    'resolve',
    'cancel',
    'list',
  ];
  if (hasMethods(value, verbs)) return;
  throw new OptionError(
    'ledger',
    `Expected "ledger" to be a Ledger such as redisLedger(client), got ${describe(value)}.`,
  );
}

/**
 * Checks that something looks like a journal.
 * @throws {OptionError} See {@link Journal}.
 */
export function checkJournal(value: unknown): void {
  if (hasMethods(value, ['write', 'flush', 'history', 'find', 'counts'])) return;
  throw new OptionError(
    'journal',
    `Expected "journal" to be a Journal such as redisJournal(client), got ${describe(value)}.`,
  );
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  const found = value as Record<string, unknown> | null | undefined;
  return (
    typeof found === 'object' &&
    found !== null &&
    names.every((name) => typeof found[name] === 'function')
  );
}

/**
 * Shows the value of an option whose right value is no secret. A text is shown if it is short and
 * looks like a word or a number with a unit: no address, no URL and no API key looks like that.
 *
 * @example show('30s') // '"30s"'
 */
export function show(value: unknown): string {
  return typeof value === 'string' && /^[\w .+-]{1,24}$/.test(value)
    ? `"${value}"`
    : describe(value);
}

/**
 * Describes a value for an error by its type; only numbers, booleans and null are shown.
 * See {@link show}.
 */
export function describe(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number')
    return String(value);
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return 'an array';
  return value === undefined ? 'undefined' : `a value of type ${typeof value}`;
}
