import { expect, it } from 'vitest';
import { recordState } from '../../mail/test/helpers.ts';
import { providerNamed, setUp, trySend } from './helpers.ts';

// The other tests give it emails that it can carry.
const plunk = { ...providerNamed('Plunk'), htmlOnly: false };
const html = '<b>Your parcel.</b>';

it.for([
  ['text alone', {}, /text version/],
  ['text beside HTML', { html }, /text version/],
  ['no subject', { text: undefined, html, subject: '' }, /no subject/],
  ['a variable', { text: undefined, html: 'Hello {{ name }}' }, /\{\{/],
  ['a tag of its template language', { text: undefined, html: '{% if a %}' }, /\{%/],
  ['a variable in the subject', { text: undefined, html, subject: '{{name}}' }, /\{\{/],
] as const)('%s is refused before the request', async ([, mail, message], test) => {
  const setup = await setUp(test, plunk);
  const { state, error, job } = await trySend(setup, { mail });
  expect([state, String(error)]).toEqual(['threw', expect.stringMatching(message)]);
  expect(String(error)).toContain('The email was not sent');
  expect(await recordState(job)).toBe('absent');
  expect(setup.server.posts).toBe(0);
});

it('a refused email frees its key, and a failed one keeps it', async (test) => {
  const setup = await setUp(test, plunk);
  const mail = { text: undefined, html };
  setup.server.setFault('unprocessable');
  const refused = await trySend(setup, { mail });
  expect(refused.state).toBe('rejected');
  expect((await trySend(setup, { mail, key: refused.job.key })).state).toBe('sent');

  setup.server.setFault('error-before');
  const failed = await trySend(setup, { mail });
  expect(failed.state).toBe('in-doubt');
  const again = await trySend(setup, { mail, key: failed.job.key });
  expect(again.state).toBe('in-doubt');
  expect(again.error).toMatchObject({ outcome: 'unknown', reason: 'IDEMPOTENCY_KEY_REUSED' });
  expect(setup.server.accepted).toHaveLength(1);
});
