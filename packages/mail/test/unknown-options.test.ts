import { OptionError } from '@sendonce/core';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import * as mail from '../src/index.ts';

const apiKey = 'k';
const account = { endpoint: 'https://shop.communication.azure.com', accessKey: 'a2V5' };
const aws = { region: 'eu-west-1', accessKeyId: 'id', secretAccessKey: 'secret' };

test.each<[string, (unknown: object) => unknown]>([
  ['dispatchAtSend', (more) => mail.dispatchAtSend(more)],
  ['atSend', (more) => mail.atSend(createTransport({ jsonTransport: true }), more)],
  ['ahaSendTransport', (more) => mail.ahaSendTransport({ apiKey, accountId: 'a', ...more })],
  ['azureLookUp', (more) => mail.azureLookUp({ ...account, ...more })],
  ['azureTransport', (more) => mail.azureTransport({ ...account, ...more })],
  ['brevoLookUp', (more) => mail.brevoLookUp({ apiKey, ...more })],
  ['brevoTransport', (more) => mail.brevoTransport({ apiKey, ...more })],
  ['lettermintTransport', (more) => mail.lettermintTransport({ apiKey, ...more })],
  [
    'loopsTransport',
    (more) =>
      mail.loopsTransport({ apiKey, transactionalId: 't', dataVariables: () => ({}), ...more }),
  ],
  ['postmarkLookUp', (more) => mail.postmarkLookUp({ apiKey, ...more })],
  ['postmarkTransport', (more) => mail.postmarkTransport({ apiKey, ...more })],
  ['resendTransport', (more) => mail.resendTransport({ apiKey, ...more })],
  ['sendGridLookUp', (more) => mail.sendGridLookUp({ apiKey, ...more })],
  ['sendGridTransport', (more) => mail.sendGridTransport({ apiKey, ...more })],
  ['sesTransport', (more) => mail.sesTransport({ ...aws, ...more })],
  ['sparkPostTransport', (more) => mail.sparkPostTransport({ apiKey, ...more })],
])('%s(): an option that does not exist is an error that names it', (_name, make) => {
  expect(() => make({})).not.toThrow();
  expect(() => make({ nosuchoption: 1 })).toThrow(OptionError);
  expect(() => make({ nosuchoption: 1 })).toThrow(/has no option "nosuchoption"/);
});

test('the nearest name is suggested', () => {
  const misspelt = { outsideClaims: 'refuse' };
  expect(() => mail.dispatchAtSend(misspelt as object)).toThrow('Did you mean "outsideClaim"?');
  const options = { apiKey, answerWithinMS: 1000 };
  expect(() => mail.brevoTransport(options)).toThrow('Did you mean "answerWithinMs"?');
});

test.each<[string, (options: object) => unknown]>([
  ['brevoTransport', (more) => mail.brevoTransport({ apiKey, ...more })],
  ['sesTransport', (more) => mail.sesTransport({ ...aws, ...more })],
  ['brevoLookUp', (more) => mail.brevoLookUp({ apiKey, ...more })],
  ['azureLookUp', (more) => mail.azureLookUp({ ...account, ...more })],
])('%s(): the earlier name of the deadline suggests "answerWithinMs"', (_name, make) => {
  expect(() => make({ timeoutMs: 1000 })).toThrow(
    'has no option "timeoutMs". Did you mean "answerWithinMs"?',
  );
});

test('the earlier name of a provider\'s window suggests "windowMs"', () => {
  const options = { apiKey, idempotencyWindowMs: 1000 };
  expect(() => mail.brevoTransport(options)).toThrow('Did you mean "windowMs"?');
});
