import { NotSentError, SecondEmailError } from '@sendonce/core';
import { describe, expect, it } from 'vitest';
import { classifyMailError, mailErrorNote, type MailPhase } from '../src/index.ts';

const reply = (responseCode: number, code = 'EMESSAGE', command = 'DATA') => ({
  code,
  command,
  responseCode,
  response: `${responseCode} <customer@customer.example> said no`,
});

describe('classifyMailError', () => {
  const cases: [string, object, MailPhase, string][] = [
    ['a 5xx before the dot', reply(550, 'EENVELOPE', 'RCPT TO'), 'before-dot', 'not-sent'],
    ['a reset before the dot', { code: 'ESOCKET' }, 'before-dot', 'not-sent'],
    ['a 4xx after the dot', reply(451), 'after-dot', 'refused'],
    ['a 5xx after the dot', reply(552), 'after-dot', 'rejected'],
    ['a 354 after the dot', reply(354), 'after-dot', 'unknown'],
    ['two digits after the dot', reply(45), 'after-dot', 'unknown'],
    ['four digits after the dot', reply(4511), 'after-dot', 'unknown'],
    ['half a reply after the dot', reply(451, 'ECONNECTION', 'CONN'), 'after-dot', 'unknown'],
    ['an abort after the dot', { code: 'EABORT' }, 'after-dot', 'unknown'],
    ['a reset', { code: 'ESOCKET' }, 'unknown', 'unknown'],
    ['a timeout of the socket', { code: 'ETIMEDOUT' }, 'unknown', 'unknown'],
    [
      'a timeout of the greeting',
      { code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' },
      'unknown',
      'not-sent',
    ],
    ['a wrong password', reply(535, 'EAUTH', 'AUTH PLAIN'), 'unknown', 'not-sent'],
    ['an email too large', { code: 'EMESSAGE', command: 'MAIL FROM' }, 'unknown', 'not-sent'],
    ['garbage for a reply', { code: 'EMESSAGE', command: 'DATA' }, 'unknown', 'unknown'],
    ['a NotSentError', new NotSentError('no'), 'unknown', 'not-sent'],
    ['a SecondEmailError', new SecondEmailError('key'), 'unknown', 'unknown'],
  ];
  it.for(cases)('%s', ([, error, phase, verdict]) => {
    expect(classifyMailError(error, phase)).toBe(verdict);
  });

  it('knows nothing about what is no error', () => {
    for (const thrown of [undefined, null, 'text', 7]) {
      expect(classifyMailError(thrown)).toBe('unknown');
    }
  });
});

describe('mailErrorNote', () => {
  it('is a code and never text of the server', () => {
    expect(mailErrorNote(reply(552))).toBe('552');
    // The reply was not complete, so its number says nothing.
    expect(mailErrorNote(reply(451, 'ECONNECTION', 'CONN'))).toBe('ECONNECTION');
    expect(mailErrorNote({ code: 'customer@customer.example' })).toBe('error');
    expect(mailErrorNote(undefined)).toBe('error');
  });
});
