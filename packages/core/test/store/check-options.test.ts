import { describe, expect, test } from 'vitest';
import { memoryLedger } from '../../src/index.ts';
import {
  checkBoolean,
  checkDuration,
  checkJournal,
  checkLedger,
  checkNames,
  checkOneOf,
  describe as describeValue,
  MAX_DURATION_MS,
} from '../../src/store/index.ts';
import { checkLeaseAndRetention } from '../../src/store/check-options.ts';

const optionError = (option: string) =>
  expect.objectContaining({ code: 'SENDONCE_OPTION', option, mayHaveLeft: 'no' });

describe('a duration', () => {
  test.each([1, 30_000, MAX_DURATION_MS])('of %d ms is accepted', (ms) => {
    expect(checkDuration('leaseMs', ms)).toBe(ms);
  });

  test.each([0, -1, 0.5, Number.NaN, Infinity, MAX_DURATION_MS + 1, '30', 30n, null, undefined])(
    'of %s is refused',
    (wrong) => {
      expect(() => checkDuration('leaseMs', wrong)).toThrow(optionError('leaseMs'));
    },
  );
});

describe('an earlier name of an option', () => {
  test.each([
    ['timeoutMs', 'answerWithinMs'],
    ['idempotencyWindowMs', 'windowMs'],
    ['everyMs', 'intervalMs'],
    ['sweepEveryMs', 'intervalMs'],
  ])('"%s" is an error that suggests "%s"', (former, name) => {
    expect(() => checkNames('it', { [former]: 1 }, { [name]: true })).toThrow(
      `it has no option "${former}". Did you mean "${name}"?`,
    );
  });

  test('suggests no name that the taker does not have', () => {
    expect(() => checkNames('it', { everyMs: 1 }, { ledger: true })).toThrow(
      'it has no option "everyMs". Its options are ledger.',
    );
  });
});

describe('the lease', () => {
  test('of less than 20 ms is an error that gives the default: seconds were meant', () => {
    expect(() => checkLeaseAndRetention(20, 1_000)).not.toThrow();
    expect(() => checkLeaseAndRetention(19, 1_000)).toThrow(
      /"leaseMs" to be at least 20 milliseconds, got 19.*30_000 \(30 seconds\)/s,
    );
  });
});

describe('the retention', () => {
  test('may be as long as the lease, but not shorter', () => {
    expect(() => checkLeaseAndRetention(1_000, 1_000)).not.toThrow();
    expect(() => checkLeaseAndRetention(1_000, 999)).toThrow(optionError('retentionMs'));
  });
});

describe('one of several words', () => {
  test('is returned, and the error for another one lists them all', () => {
    expect(checkOneOf('form', 'table', ['table', 'json'])).toBe('table');
    expect(() => checkOneOf('form', 'xml', ['table', 'json'])).toThrow(
      'Expected "form" to be "table" or "json", got "xml".',
    );
  });
});

describe('a boolean', () => {
  test.each([true, false])('%s is returned', (value) => {
    expect(checkBoolean('watch', value)).toBe(value);
  });

  test.each(['true', 1, null, undefined])('%j is no boolean', (wrong) => {
    expect(() => checkBoolean('watch', wrong)).toThrow(optionError('watch'));
  });
});

describe('a ledger and a journal', () => {
  const method = () => {};
  const journal = { write: method, flush: method, history: method, find: method, counts: method };

  test('are accepted with all of their methods', () => {
    expect(() => checkLedger(memoryLedger())).not.toThrow();
    expect(() => checkJournal(journal)).not.toThrow();
  });

  test.each(Object.keys(memoryLedger()))('a ledger without %s() is refused', (verb) => {
    const broken = { ...memoryLedger(), [verb]: undefined };
    expect(() => checkLedger(broken)).toThrow(optionError('ledger'));
  });

  test.each(Object.keys(journal))('a journal without %s() is refused', (method) => {
    expect(() => checkJournal({ ...journal, [method]: 'no function' })).toThrow(
      optionError('journal'),
    );
  });

  test.each([null, undefined, 'redis', () => {}])('%s is neither', (wrong) => {
    expect(() => checkLedger(wrong)).toThrow(optionError('ledger'));
    expect(() => checkJournal(wrong)).toThrow(optionError('journal'));
  });
});

test.each([
  [null, 'null'],
  [undefined, 'undefined'],
  [true, 'true'],
  [0, '0'],
  [Number.NaN, 'NaN'],
  ['', 'an empty string'],
  ['ada@secret.example', 'a value of type string'],
  [['ada@secret.example'], 'an array'],
  [{ to: 'ada@secret.example' }, 'a value of type object'],
  [() => {}, 'a value of type function'],
])('an error describes %j as %s', (value, description) => {
  expect(describeValue(value)).toBe(description);
});
