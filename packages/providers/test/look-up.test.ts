import { deriveKey, memoryLedger, type Resolver } from '@sendonce/core';
import { describe, expect, it } from 'vitest';
import { attempt, email, recordState, type Test } from '../../mail/test/helpers.ts';
import { toUuid } from '../src/idempotency-key.ts';
import { azureLookUp, brevoLookUp, postmarkLookUp } from '../src/index.ts';
import { providerNamed, setUp } from './helpers.ts';
import { doubt, type LookUpCase, lookUps, type Options } from './look-up-cases.ts';
import {
  type LookUpFault,
  lookUpFaults,
  type LookUpRequest,
  startLookUpServer,
} from '@sendonce/testkit/providers/look-up-server';
import type { Reply } from '@sendonce/testkit/providers/provider-server';

const key = deriveKey(['an email in doubt']);
const other = deriveKey(['another email']);
const hourMs = 3_600_000;

async function ask(
  test: Test,
  { create }: LookUpCase,
  answer: (request: LookUpRequest) => Reply,
  { fault, ...options }: Options & { fault?: LookUpFault } = {},
) {
  const server = await startLookUpServer(answer);
  test.onTestFinished(() => server.close());
  server.setFault(fault);
  return { server, resolver: create(server.origin, options) };
}

describe.for(lookUps)('$name', (provider) => {
  it('an email that the log shows is sent; asked by its key, with the key of the account', async (test) => {
    const { resolver, server } = await ask(test, provider, (it) => provider.found(key, it));
    expect(await resolver(doubt(key))).toBe('sent');
    expect(server.requests).toHaveLength(provider.gets);
    for (const request of server.requests) {
      expect(request.method).toBe('GET');
      expect(provider.asks(request, key)).toBe(true);
    }
  });

  it('an email that is not there yet is unknown, however old, and sent once it is', async (test) => {
    let there = false;
    const { resolver } = await ask(test, provider, (it) =>
      there ? provider.found(key, it) : provider.none,
    );
    for (const agoMs of [0, hourMs, 100 * 24 * hourMs]) {
      expect(await resolver(doubt(key, agoMs))).toBe('unknown');
    }
    there = true;
    expect(await resolver(doubt(key))).toBe('sent');
  });

  it('a log that shows another email says nothing', async (test) => {
    const { resolver } = await ask(test, provider, (it) => provider.found(other, it));
    expect(await resolver(doubt(key))).toBe('unknown');
  });

  it('an error that looks like an answer says nothing', async (test) => {
    const { resolver } = await ask(test, provider, (it) => ({
      ...provider.found(key, it),
      status: 500,
    }));
    expect(await resolver(doubt(key))).toBe('unknown');
  });

  it.for(Object.keys(lookUpFaults) as LookUpFault[])('%s is unknown', async (fault, test) => {
    const answerWithinMs = fault === 'silence' ? 1500 : 5000;
    const options = {
      fault,
      answerWithinMs,
      ...(provider.name === 'Azure' && { notFoundAfterMs: 1 }),
    };
    const { resolver, server } = await ask(test, provider, () => provider.none, options);
    expect(await resolver(doubt(key, hourMs))).toBe('unknown');
    expect(server.requests).toHaveLength(1);
  });

  it('a fetch that throws, and an invalid key, are unknown', async (test) => {
    const fetch = () => Promise.reject(new TypeError('secret'));
    const { resolver } = await ask(test, provider, () => provider.none, { fetch });
    expect(await resolver(doubt(key))).toBe('unknown');
    expect(await resolver(doubt('short'))).toBe('unknown');
  });

  it('the options are checked, and no error shows a secret', () => {
    const wrong: Options[] = [{ answerWithinMs: 0 }, { fetch: 7 as never }];
    for (const options of wrong) {
      const create = () => provider.create('http://127.0.0.1', options);
      expect(create).toThrow(expect.objectContaining({ code: 'SENDONCE_OPTION' }));
      expect(create).not.toThrow(/secret/);
    }
    expect(() => provider.create('nonsense')).toThrow(/"(url|endpoint)"/);
  });

  it('an answer that was lost: one email, and it is settled', async (test) => {
    const setup = await setUp(test, providerNamed(provider.name));
    const { server, transporter } = setup;
    const job = { ledger: memoryLedger(), key: deriveKey(['looked up', provider.name]) };
    let late = true;
    // The log has what the provider accepted, a moment later.
    const known = () =>
      !late && server.accepted.some((sent) => isKey(job.key)(provider.keyOf(sent)));
    const { resolver } = await ask(test, provider, (it) =>
      known() ? provider.found(job.key, it) : provider.none,
    );
    const send = () => attempt(job, () => transporter.sendMail(email()), { resolver });

    server.setFault('reset-after');
    expect((await send()).state).toBe('in-doubt');
    expect((await send()).state).toBe('in-doubt');
    late = false;
    expect((await send()).state).toBe('duplicate');
    expect(await recordState(job)).toBe('sent');
    expect(server.posts).toBe(1);
    expect(server.accepted).toHaveLength(1);
  });

  it('an answer that was lost, and a log that is quick: the attempt itself ends as sent', async (test) => {
    const { server, transporter } = await setUp(test, providerNamed(provider.name));
    const job = { ledger: memoryLedger(), key: deriveKey(['at once', provider.name]) };
    const { resolver } = await ask(test, provider, (it) => provider.found(job.key, it));
    server.setFault('cut-off-after');
    const ended = await attempt(job, () => transporter.sendMail(email()), { resolver });
    expect(ended.state).toBe('duplicate');
    expect(await recordState(job)).toBe('sent');
    expect(server.posts).toBe(1);
  });
});

const isKey = (key: string) => (found: unknown) => found === key || found === toUuid(key);

describe('Azure', () => {
  const [azure] = lookUps;
  if (azure?.name !== 'Azure') throw new Error('no Azure');

  it.for([
    ['NotStarted', 'sent'],
    ['Running', 'sent'],
    ['Failed', 'unknown'],
    ['Canceled', 'unknown'],
    ['Paused', 'unknown'],
  ] as const)('an operation that is %s is %s', async ([status, found], test) => {
    const answer = () => ({ status: 200, body: { id: toUuid(key), status } });
    const { resolver } = await ask(test, azure, answer, { notFoundAfterMs: 1 });
    expect(await resolver(doubt(key, hourMs))).toBe(found);
  });

  it('what it does not know is not sent, from the time that the user gives, for a day', async (test) => {
    const { resolver } = await ask(test, azure, () => azure.none, { notFoundAfterMs: hourMs });
    expect(await resolver(doubt(key))).toBe('unknown');
    expect(await resolver(doubt(key, hourMs - 5000))).toBe('unknown');
    expect(await resolver(doubt(key, hourMs))).toBe('not-sent');
    expect(await resolver(doubt(key, 23 * hourMs))).toBe('not-sent');
    expect(await resolver(doubt(key, 24 * hourMs))).toBe('unknown');
  });

  it('notFoundAfterMs is checked', () => {
    for (const notFoundAfterMs of [0, -1, Number.NaN]) {
      expect(() => azure.create('http://127.0.0.1', { notFoundAfterMs })).toThrow(
        /"notFoundAfterMs"/,
      );
    }
  });
});

it('Brevo: a tag that is written as a list is the tag', async (test) => {
  const server = await startLookUpServer(() => ({
    status: 200,
    body: { events: [{ tag: other }, { tag: JSON.stringify([key]) }] },
  }));
  test.onTestFinished(() => server.close());
  const resolver = brevoLookUp({ apiKey: 'a', url: server.origin });
  expect(await resolver(doubt(key))).toBe('sent');
});

it('Postmark: the message stream is asked for', async (test) => {
  const server = await startLookUpServer(() => ({ status: 200, body: { Messages: [] } }));
  test.onTestFinished(() => server.close());
  await postmarkLookUp({ apiKey: 'a', url: server.origin, messageStream: 'notices' })(doubt(key));
  expect(server.requests[0]?.query.get('messagestream')).toBe('notices');
});

it('a look-up is a resolver', () => {
  const resolver: Resolver = azureLookUp({ endpoint: 'https://a.example', accessKey: 'YQ==' });
  expect(resolver).toBeTypeOf('function');
});
