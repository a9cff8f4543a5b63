import { expect, test } from 'vitest';
import { UsageError } from '@sendonce/testkit/command-line';
import { parseArguments } from '../src/arguments.ts';

test('what is not said has a default', () => {
  const { systems, emails, workers, minutes, json } = parseArguments([]);
  expect({ systems, emails, workers, minutes, json }).toEqual({
    systems: ['redis'],
    emails: 1_000,
    workers: 16,
    minutes: 1,
    json: false,
  });
});

test('several ledgers, and a peer', () => {
  const argv = ['--ledger', 'redis,postgres', '--ledger', 'set-nx-lease'];
  expect(parseArguments(argv).systems).toEqual(['redis', 'postgres', 'set-nx-lease']);
});

test.each([
  [['--ledger', 'mongo'], /Unknown --ledger "mongo"[\s\S]*redis, redlock, postgres/],
  [['--soak', '--ledger', 'set-nx-lease'], /Unknown --ledger/],
  [['--emails', '0'], /whole number from 1/],
  [['--seed', '1.5'], /whole number/],
  [['--minutes', '-1'], /Allowed|argument/],
  [['--workers', '65'], /from 1 to 64/],
  [['--email', '3'], /Allowed: --ledger/],
])('%j is refused and says what is allowed', (argv, message) => {
  expect(() => parseArguments(argv)).toThrow(UsageError);
  expect(() => parseArguments(argv)).toThrow(message);
});
