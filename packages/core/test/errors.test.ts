import { describe, expect, test } from 'vitest';
import {
  BusyError,
  type ErrorCode,
  InDoubtError,
  LedgerUnavailableError,
  type LedgerRecord,
  NotSentError,
  OptionError,
  SendonceError,
  UndispatchedError,
} from '../src/index.ts';
import { errorPage, withErrorPage, withoutErrorPage } from '../src/store/index.ts';

const PAGES = 'https://github.com/sendonce/sendonce/blob/main/docs/errors';
const doubt: LedgerRecord = {
  key: 'A'.repeat(22),
  token: 'token',
  state: 'in-doubt',
  atMs: 0,
};

describe('the message of an error', () => {
  test.each<[ErrorCode, string]>([
    ['SENDONCE_IN_DOUBT', 'in-doubt'],
    ['SENDONCE_LEDGER_UNAVAILABLE', 'ledger-unavailable'],
    ['SENDONCE_OPTION', 'option'],
  ])('of the code %s ends with the address of the page %s.md', (code, name) => {
    const { message } = new SendonceError(code, 'no', 'It failed.');
    expect(message).toBe(`It failed. See ${PAGES}/${name}.md`);
    expect(errorPage(code)).toBe(`${PAGES}/${name}.md`);
  });

  test('is in the stack with its address', () => {
    expect(new BusyError('key', 5).stack).toContain(`${PAGES}/busy.md\n`);
  });

  test('that ends without a full stop gets one before the address', () => {
    expect(new NotSentError('no template').message).toBe(`no template. See ${PAGES}/not-sent.md`);
    expect(new NotSentError('').message).toBe(`See ${PAGES}/not-sent.md`);
    const fromJavaScript = new NotSentError(undefined as unknown as string);
    expect(fromJavaScript.message).toBe(`See ${PAGES}/not-sent.md`);
  });

  test('that quotes another error has one address, its own, at the end', () => {
    const inner = new OptionError('x', 'The option is wrong.');
    const outer = new LedgerUnavailableError(`${inner.message} It is safe to repeat.`);
    expect(outer.message).toBe(
      `The option is wrong. It is safe to repeat. See ${PAGES}/ledger-unavailable.md`,
    );
    const { message } = new InDoubtError(doubt, new UndispatchedError());
    expect(message).toContain('say so by "undispatched".');
    expect(message.split(PAGES)).toHaveLength(2);
    expect(message).toMatch(/ See \S+\/in-doubt\.md$/);
  });
});

test('withErrorPage() may be called twice, and withoutErrorPage() takes the address away', () => {
  const once = withErrorPage('It failed.', 'SENDONCE_SWEEP');
  expect(withErrorPage(once, 'SENDONCE_SWEEP')).toBe(once);
  expect(withoutErrorPage(once)).toBe('It failed.');
  expect(withoutErrorPage('See https://example.com/in-doubt.md')).toContain('example.com');
});
