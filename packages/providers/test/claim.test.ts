import { AsyncResource } from 'node:async_hooks';
import { deriveKey, type Ledger, memoryLedger } from '@sendonce/core';
import { freePort } from '@sendonce/testkit';
import { describe, expect, it } from 'vitest';
import { attempt, codeOf, email, newJob, recordState } from '../../mail/test/helpers.ts';
import { providerNamed, providers, setUp, trySend } from './helpers.ts';

const resend = providerNamed('Resend');
const keyed = providers.filter(({ dialect }) => dialect.windowMs > 0);

describe.for([false, true])('under a claim, with the plugin: %s', (plugin) => {
  it('the dispatch comes before the request, and the record has the id of the provider', async (test) => {
    const { server, transporter } = await setUp(test, resend, { plugin });
    const job = newJob();
    const posts: number[] = [];
    const watched: Ledger = {
      ...job.ledger,
      dispatch: async (request) => {
        posts.push(server.posts);
        return job.ledger.dispatch(request);
      },
    };
    const ended = await attempt({ ...job, ledger: watched }, () => transporter.sendMail(email()));
    expect(ended.state).toBe('sent');
    expect(posts).toEqual([0]);
    expect(server.posts).toBe(1);
    expect((await job.ledger.read(job.key))?.messageId).toBe('id-1');
    expect(server.accepted[0]?.key).toBe(job.key);
  });

  it.for([
    { to: ['a@customer.example', 'b@customer.example'] },
    { cc: 'b@customer.example' },
    { bcc: 'b@customer.example' },
  ])("with recipients: 'one', several are refused: %j", async (mail, test) => {
    const setup = await setUp(test, resend, { plugin, recipients: 'one' });
    const { state, error, job } = await trySend(setup, { mail });
    expect(state).toBe('threw');
    expect(codeOf(error)).toBe('SENDONCE_RECIPIENTS');
    expect(await recordState(job)).toBe('absent');
    expect(setup.server.posts).toBe(0);
    expect((await trySend(setup)).state).toBe('sent');
  });

  it.for([
    { to: [] },
    { to: undefined, bcc: ['a@customer.example', 'b@customer.example'] },
    { to: undefined, cc: 'a@customer.example' },
    { headers: { Bcc: 'b@customer.example' } },
  ])(
    'an email without a To, or with a Bcc among its headers, is refused: %j',
    async (mail, test) => {
      const setup = await setUp(test, resend, { plugin });
      const { state, error, job } = await trySend(setup, { mail });
      expect(state).toBe('threw');
      expect(codeOf(error)).toBe('SENDONCE_PROVIDER');
      expect(await recordState(job)).toBe('absent');
      expect(setup.server.posts).toBe(0);
    },
  );

  it.for([
    { to: 'a@customer.example\r\nBcc: b@customer.example' },
    { from: { name: 'Shop', address: 'shop@shop.example\nTo: b@customer.example' } },
    { replyTo: 'a@shop.example\rb@shop.example' },
    { to: '"a, b"@customer.example' },
  ])('an address that can be read in two ways is refused: %#', async (mail, test) => {
    const setup = await setUp(test, resend, { plugin });
    const { error, job } = await trySend(setup, { mail });
    expect(codeOf(error)).toBe('SENDONCE_ADDRESS');
    expect(await recordState(job)).toBe('absent');
    expect(setup.server.posts).toBe(0);
  });

  it('a refusal before the request leaves no doubt in before-processor mode either', async (test) => {
    const { server, transporter } = await setUp(test, resend, { plugin });
    for (const mail of [{ to: [] }, { text: '', html: '' }, { dsn: {} as never }]) {
      const job = newJob();
      const send = () => transporter.sendMail(email(mail));
      const ended = await attempt(job, send, { dispatch: 'before-processor' });
      expect(ended.state).toBe('threw');
      expect(await recordState(job)).toBe('absent');
    }
    expect(server.posts).toBe(0);
  });

  it('a second email is refused; after a refusal the next may go', async (test) => {
    const { server, transporter } = await setUp(test, resend, { plugin });
    const job = newJob();
    const ended = await attempt(job, async () => {
      await transporter.sendMail(email());
      await transporter.sendMail(email({ subject: 'another' }));
    });
    expect(codeOf(ended.error)).toBe('SENDONCE_SECOND_EMAIL');
    expect(await recordState(job)).toBe('sent');
    expect(server.posts).toBe(1);

    server.setFault('too-many');
    const retried = await attempt(newJob(), () =>
      transporter.sendMail(email()).catch(() => transporter.sendMail(email())),
    );
    expect(retried.state).toBe('sent');
    server.setFault('reset-after');
    const doubtful = await attempt(newJob(), () =>
      transporter.sendMail(email()).catch(() => transporter.sendMail(email())),
    );
    expect(doubtful.state).toBe('in-doubt');
  });

  it('a claim that was lost sends nothing', async (test) => {
    const { server, transporter } = await setUp(test, resend, { plugin });
    const job = newJob();
    const ended = await attempt(job, async () => {
      await job.ledger.cancel({ key: job.key, retentionMs: 60_000 });
      return transporter.sendMail(email());
    });
    expect(ended.state).toBe('cancelled');
    expect(server.posts).toBe(0);
  });

  it('the claim waits for a send that is not awaited', async (test) => {
    const { server, transporter } = await setUp(test, resend, { plugin });
    server.setFault('slow');
    const job = newJob();
    const ended = await attempt(job, () => {
      void transporter.sendMail(email());
    });
    expect(ended.state).toBe('sent');
    expect((await job.ledger.read(job.key))?.messageId).toBe('id-1');
  });
});

it('a plugin that loses the context does not lose the claim', async (test) => {
  const { server, transporter } = await setUp(test, resend, { plugin: true });
  const elsewhere = new AsyncResource('elsewhere');
  transporter.use('stream', (_mail, callback) => elsewhere.runInAsyncScope(callback));
  const { state, job } = await trySend({ transporter });
  expect(state).toBe('sent');
  expect(server.accepted[0]?.key).toBe(job.key);
});

describe('without a claim', () => {
  it.for(providers)(
    '$name sends without a key, to several where it can',
    async (provider, test) => {
      const { server, transporter } = await setUp(test, provider);
      const info = await transporter.sendMail(email());
      expect(info).toMatchObject({ accepted: ['customer@customer.example'], rejected: [] });
      expect(server.accepted[0]?.key).toBeUndefined();
      expect(server.requests[0]?.raw).not.toMatch(/sendonce|idempotency/i);
      await transporter.sendMail(email());
      expect(server.accepted).toHaveLength(2);
    },
  );

  it.for(providers)('$name: several recipients, or none of them', async (provider, test) => {
    const { server, transporter } = await setUp(test, provider);
    const mail = email({
      to: ['a@customer.example', 'b@customer.example'],
      cc: 'c@customer.example',
      bcc: 'd@customer.example',
    });
    if (['Loops', 'Plunk'].includes(provider.name)) {
      await expect(transporter.sendMail(mail)).rejects.toThrow(/several recipients/);
      expect(server.posts).toBe(0);
      return;
    }
    expect((await transporter.sendMail(mail)).accepted).toHaveLength(4);
    const [raw = ''] = server.requests.map((request) => request.raw);
    for (const name of ['a', 'b', 'c', 'd']) expect(raw).toContain(`${name}@customer.example`);
    if (provider.name !== 'SparkPost') expect(raw).toMatch(/"bcc(addresses)?":/i);
  });

  it('an address with a line break is refused as well', async (test) => {
    const { server, transporter } = await setUp(test, resend);
    const to = 'a@customer.example\r\nBcc: b@customer.example';
    await expect(transporter.sendMail(email({ to }))).rejects.toThrow(/line break/);
    expect(server.posts).toBe(0);
  });
});

/** Loops does not say whether the email of a key that was used has been sent. */
const repeated = ({ name }: { name: string }) => (name === 'Loops' ? 'in-doubt' : 'sent');

describe.for(keyed)('the key at $name', (provider) => {
  it('a repetition within the window is the same email, after it another one', async (test) => {
    const setup = await setUp(test, provider);
    const { server, transport } = setup;
    const key = deriveKey(['window', provider.name]);
    const windowMs = transport.windowMs ?? 0;
    await trySend(setup, { key });
    server.advance(windowMs - 5000);
    expect((await trySend(setup, { key })).state).toBe(repeated(provider));
    expect(server.accepted).toHaveLength(1);
    server.advance(10_000);
    await trySend(setup, { key });
    expect(server.accepted).toHaveLength(2);
  });

  it('other content under the same key', async (test) => {
    const setup = await setUp(test, provider);
    const { job } = await trySend(setup);
    const again = await trySend(setup, { key: job.key, mail: { subject: 'at 12:00:01' } });
    if (provider.dialect.conflict) {
      expect(again.error).toMatchObject({ outcome: 'conflict', mayHaveLeft: 'maybe' });
      expect(again.state).toBe('in-doubt');
    } else {
      expect(again.state).toBe(repeated(provider));
    }
    expect(setup.server.accepted).toHaveLength(1);
  });

  it('two requests at the same time are one email', async (test) => {
    const setup = await setUp(test, provider);
    if (!provider.dialect.inProgress) return;
    setup.server.setFault('slow');
    const key = deriveKey(['both', provider.name]);
    const first = trySend(setup, { key });
    while (setup.server.requests.length === 0) await new Promise(setImmediate);
    const second = await trySend(setup, { key });
    expect(second.error).toMatchObject({ outcome: 'in-progress' });
    expect(second.state).toBe('in-doubt');
    expect((await first).state).toBe('sent');
    expect(setup.server.accepted).toHaveLength(1);
  });
});

describe('connections', () => {
  it('each email has a separate connection', async (test) => {
    const setup = await setUp(test, resend);
    for (let sent = 0; sent < 3; sent++) await trySend(setup);
    expect(setup.server.connections).toBe(3);
  });

  it('no redirect of any kind is followed', async (test) => {
    const seen: (string | undefined)[] = [];
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      seen.push(init?.redirect);
      return new Response(null, { status: 302, headers: { location: 'https://x.example/' } });
    };
    const { state } = await trySend(await setUp(test, resend, { fetch }));
    expect(state).toBe('in-doubt');
    expect(seen).toEqual(['manual']);
  });

  const closed = { port: 0 };
  it.for([
    ['no server listens', () => `http://127.0.0.1:${closed.port}/emails`, 'ECONNREFUSED'],
    [
      'no server listens on any address',
      () => `http://localhost:${closed.port}/emails`,
      'ECONNREFUSED',
    ],
    ['the name does not exist', () => 'http://provider.invalid/emails', /ENOTFOUND|EAI_AGAIN/],
    [
      'no TLS there',
      (url: string) => url.replace('http:', 'https:'),
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ],
    ['a port that fetch forbids', () => 'http://127.0.0.1:1/emails', undefined],
  ] as const)('%s: not sent', async ([, url, reason], test) => {
    closed.port = await freePort();
    const { server } = await setUp(test, resend);
    const setup = await setUp(test, resend, { url: url(server.url) });
    const { state, error, job } = await trySend(setup);
    expect(state).toBe('threw');
    expect(error).toMatchObject({ outcome: 'not-sent', mayHaveLeft: 'no' });
    if (reason !== undefined) expect((error as { reason: string }).reason).toMatch(reason);
    expect(await recordState(job)).toBe('absent');
    expect(server.posts).toBe(0);
  });

  it('a fetch that throws anything else leaves a doubt, and none of its words', async (test) => {
    const fetch = () => Promise.reject(new TypeError('secret customer@customer.example'));
    const setup = await setUp(test, resend, { fetch });
    const { state, error } = await trySend(setup);
    expect(state).toBe('in-doubt');
    expect(String(error)).not.toMatch(/secret|customer/);
    expect((error as Error).cause).toBeUndefined();
  });
});

it('parallel emails keep their own claims', async (test) => {
  const { server, transporter } = await setUp(test, resend);
  const ledger = memoryLedger();
  const keys = Array.from({ length: 20 }, (_, index) => deriveKey(['parallel', index]));
  await Promise.all(
    keys.map((key) =>
      attempt({ ledger, key }, () => transporter.sendMail(email({ subject: key }))),
    ),
  );
  expect(server.accepted).toHaveLength(20);
  for (const { key, body } of server.accepted) expect(body['subject']).toBe(key);
});
