import { OptionError } from '@sendonce/core';
import { expect, test } from 'vitest';
import * as providers from '../src/index.ts';

const apiKey = 'k';
const account = { endpoint: 'https://shop.communication.azure.com', accessKey: 'a2V5' };
const aws = { region: 'eu-west-1', accessKeyId: 'id', secretAccessKey: 'secret' };

test.each<[string, (unknown: object) => unknown]>([
  ['ahaSendTransport', (more) => providers.ahaSendTransport({ apiKey, accountId: 'a', ...more })],
  ['azureLookUp', (more) => providers.azureLookUp({ ...account, ...more })],
  ['azureTransport', (more) => providers.azureTransport({ ...account, ...more })],
  ['brevoLookUp', (more) => providers.brevoLookUp({ apiKey, ...more })],
  ['brevoTransport', (more) => providers.brevoTransport({ apiKey, ...more })],
  ['lettermintTransport', (more) => providers.lettermintTransport({ apiKey, ...more })],
  [
    'loopsTransport',
    (more) =>
      providers.loopsTransport({
        apiKey,
        transactionalId: 't',
        dataVariables: () => ({}),
        ...more,
      }),
  ],
  ['plunkTransport', (more) => providers.plunkTransport({ apiKey, ...more })],
  ['postmarkLookUp', (more) => providers.postmarkLookUp({ apiKey, ...more })],
  ['postmarkTransport', (more) => providers.postmarkTransport({ apiKey, ...more })],
  ['resendTransport', (more) => providers.resendTransport({ apiKey, ...more })],
  ['sendGridLookUp', (more) => providers.sendGridLookUp({ apiKey, ...more })],
  ['sendGridTransport', (more) => providers.sendGridTransport({ apiKey, ...more })],
  ['sesTransport', (more) => providers.sesTransport({ ...aws, ...more })],
  ['sparkPostTransport', (more) => providers.sparkPostTransport({ apiKey, ...more })],
])('%s(): an option that does not exist is an error that names it', (_name, make) => {
  expect(() => make({})).not.toThrow();
  expect(() => make({ nosuchoption: 1 })).toThrow(OptionError);
  expect(() => make({ nosuchoption: 1 })).toThrow(/has no option "nosuchoption"/);
});

test('the nearest name is suggested', () => {
  const options = { apiKey, answerWithinMS: 1000 };
  expect(() => providers.brevoTransport(options)).toThrow('Did you mean "answerWithinMs"?');
});

test.each<[string, (options: object) => unknown]>([
  ['brevoTransport', (more) => providers.brevoTransport({ apiKey, ...more })],
  ['sesTransport', (more) => providers.sesTransport({ ...aws, ...more })],
  ['brevoLookUp', (more) => providers.brevoLookUp({ apiKey, ...more })],
  ['azureLookUp', (more) => providers.azureLookUp({ ...account, ...more })],
])('%s(): the earlier name of the deadline suggests "answerWithinMs"', (_name, make) => {
  expect(() => make({ timeoutMs: 1000 })).toThrow(
    'has no option "timeoutMs". Did you mean "answerWithinMs"?',
  );
});

test('the earlier name of a provider\'s window suggests "windowMs"', () => {
  const options = { apiKey, idempotencyWindowMs: 1000 };
  expect(() => providers.brevoTransport(options)).toThrow('Did you mean "windowMs"?');
});
