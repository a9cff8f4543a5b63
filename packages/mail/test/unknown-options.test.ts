import { OptionError } from '@sendonce/core';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { atSend, dispatchAtSend } from '../src/index.ts';

test.each<[string, (unknown: object) => unknown]>([
  ['dispatchAtSend', (more) => dispatchAtSend(more)],
  ['atSend', (more) => atSend(createTransport({ jsonTransport: true }), more)],
])('%s(): an option that does not exist is an error that names it', (_name, make) => {
  expect(() => make({})).not.toThrow();
  expect(() => make({ nosuchoption: 1 })).toThrow(OptionError);
  expect(() => make({ nosuchoption: 1 })).toThrow(/has no option "nosuchoption"/);
});

test('the nearest name is suggested', () => {
  const misspelt = { outsideClaims: 'refuse' };
  expect(() => dispatchAtSend(misspelt as object)).toThrow('Did you mean "outsideClaim"?');
});
