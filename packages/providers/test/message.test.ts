import { deriveKey } from '@sendonce/core';
import { describe, expect, it } from 'vitest';
import { codeOf, majors, recordState } from '../../mail/test/helpers.ts';
import { full, type Part, type PartCase, parts, wantedBodies } from './message-cases.ts';
import { providers, setUp, trySend } from './helpers.ts';

const key = deriveKey(['an email that is always the same']);

describe.for(providers)('$name', (provider) => {
  it('maps an email with everything that it can carry', async (test) => {
    const setup = await setUp(test, provider);
    const { state, error } = await trySend(setup, { key, mail: full(provider.name) });
    expect([state, error]).toEqual(['sent', undefined]);
    expect(setup.server.requests[0]?.body).toEqual(wantedBodies[provider.name]);
  });

  it('the same email under the same key is the same bytes, with every nodemailer', async (test) => {
    const raws = new Set<string>();
    for (const major of majors) {
      for (let times = 0; times < 2; times++) {
        const setup = await setUp(test, provider, { major });
        const { state } = await trySend(setup, { key, mail: full(provider.name) });
        expect(state).toBe('sent');
        raws.add(setup.server.requests[0]?.raw ?? '');
      }
    }
    expect([...raws]).toHaveLength(1);
  });

  it('an email that is sent by the same object twice is the same bytes', async (test) => {
    const setup = await setUp(test, provider);
    const mail = full(provider.name);
    await trySend(setup, { key, mail });
    await trySend(setup, { key, mail });
    const [first, second] = setup.server.requests;
    expect(second?.raw).toBe(first?.raw);
  });

  describe.for([6, 10] as const)('nodemailer %i', (major) => {
    it.for(Object.keys(parts) as Part[])('%s: carried, or refused unsent', async (part, test) => {
      const setup = await setUp(test, provider, { major });
      const { mail, carriedBy, trace }: PartCase = parts[part];
      const { state, error, job } = await trySend(setup, { mail });
      if (carriedBy.includes(provider.name)) {
        expect([state, error]).toEqual(['sent', undefined]);
        for (const text of trace) expect(setup.server.requests[0]?.raw).toContain(text);
        return;
      }
      expect(state).toBe('threw');
      expect(codeOf(error)).toBe('SENDONCE_PROVIDER');
      expect(error).toMatchObject({ outcome: 'not-sent', mayHaveLeft: 'no', status: undefined });
      expect(String(error)).toMatch(/^ProviderError: The email was not sent: /);
      expect(String(error)).not.toMatch(/@|secret/);
      expect(await recordState(job)).toBe('absent');
      expect(setup.server.posts).toBe(0);
    });
  });

  it('a message that cannot be read is not sent', async (test) => {
    const setup = await setUp(test, provider);
    const { state, job } = await trySend(setup, { mail: { html: { path: '/nowhere.html' } } });
    expect(state).toBe('threw');
    expect(await recordState(job)).toBe('absent');
    expect(setup.server.posts).toBe(0);
  });
});
