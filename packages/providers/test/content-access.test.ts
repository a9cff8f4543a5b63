import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import type { Transporter } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProviderSentInfo, resendTransport } from '../src/index.ts';
import {
  attempt,
  codeOf,
  email,
  type Major,
  majors,
  newJob,
  nodemailerOf,
  recordState,
  type Test,
} from '../../mail/test/helpers.ts';

const secret = 'content of the local file';
const internal = 'content of the internal server';
const folder = mkdtempSync(join(tmpdir(), 'sendonce-access-'));
const path = join(folder, 'secret.txt');
let hits = 0;
const server = createServer((_request, response) => {
  hits += 1;
  response.end(internal);
});
let href = '';

beforeAll(async () => {
  writeFileSync(path, secret);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  href = `http://127.0.0.1:${(server.address() as AddressInfo).port}/internal`;
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  server.close();
});

type Part = Record<string, unknown>;

const malformed: readonly Part[] = [
  { path: 7 },
  { path: {} },
  { path: ['/etc/hostname'] },
  { path: ['data:text/plain,x'] },
  { path: '/etc/host\0name' },
  { path: new URL('file:///etc/host%00name') },
  { path: new URL('file://elsewhere/etc/hostname') },
  { path: new URL('http://127.0.0.1:9/') },
  { path: '/nowhere' },
  { path: '/' },
  { href: 7 },
  { href: ['http://127.0.0.1:9/'] },
  { href: 'http://' },
  { href: 'http://[::1' },
  { href: 'http://127.0.0.1:99999/' },
  { content: 'x', encoding: 'nonsense' },
  { content: 'x', encoding: 7 },
  { content: { path: 7 } },
  { content: 7 },
  { content: {} },
];

/** Every field of an email whose content nodemailer can read from somewhere. */
const fields: Readonly<Record<string, (content: Part) => Part>> = {
  html: (content) => ({ html: content }),
  text: (content) => ({ text: content }),
  'html, nested': (content) => ({ html: { content } }),
  watchHtml: (content) => ({ watchHtml: content }),
  amp: (content) => ({ amp: content }),
  icalEvent: (content) => ({ icalEvent: { method: 'request', ...content } }),
  'icalEvent, nested': (content) => ({ icalEvent: { method: 'request', content } }),
  alternatives: (content) => ({ alternatives: [{ contentType: 'text/x-web', ...content }] }),
  'alternatives, raw': (raw) => ({ alternatives: [{ raw }] }),
  attachments: (content) => ({ attachments: [{ filename: 'a.txt', ...content }] }),
  'attachments, nested': (content) => ({ attachments: [{ filename: 'a.txt', content }] }),
  'attachments, raw': (raw) => ({ attachments: [{ raw }] }),
  'attachments, one that is in no list': (content) => ({
    attachments: { filename: 'a.txt', ...content },
  }),
  raw: (raw) => ({ raw, envelope: { from: 'a@shop.example', to: 'b@customer.example' } }),
};

const sources: Readonly<Record<string, () => Part>> = {
  path: () => ({ path }),
  'path that is a file URL': () => ({ path: pathToFileURL(path) }),
  'path that is bytes': () => ({ path: Buffer.from(path) }),
  href: () => ({ href }),
  'path that is a URL': () => ({ path: href.replace('http', 'HTTP') }),
};

const flags = { disableFileAccess: true, disableUrlAccess: true };
const open = { disableFileAccess: false, disableUrlAccess: false };

interface Place {
  readonly options?: object;
  readonly defaults?: object;
  readonly mail?: object;
}
const places: Readonly<Record<string, Place>> = {
  'in the options of the transport': { options: flags },
  'in the defaults of the transporter': { defaults: flags },
  'in the email': { mail: flags },
  'in the options, and the email says otherwise': { options: flags, mail: open },
  'in the defaults, and the email says otherwise': { defaults: flags, mail: open },
};

async function setUpPlace(test: Test, major: Major, { options, defaults }: Place) {
  const provider = await startProviderServer(resendDialect);
  test.onTestFinished(() => provider.close());
  const transporter: Transporter<ProviderSentInfo> = nodemailerOf(major).createTransport(
    resendTransport({
      apiKey: provider.apiKey,
      url: provider.url,
      answerWithinMs: 5000,
      ...options,
    }),
    defaults,
  );
  return { provider, transporter };
}

describe.for(majors)('nodemailer %i', (major) => {
  describe.for(Object.entries(places))('access is disabled %s', ([, place]) => {
    it.for(Object.keys(fields))('%s is refused unread from each source', async (field, test) => {
      const { provider, transporter } = await setUpPlace(test, major, place);
      for (const source of Object.values(sources)) {
        hits = 0;
        const mail = email({ ...place.mail, ...fields[field]!(source()) });
        const job = newJob();
        const { state, error } = await attempt(job, () => transporter.sendMail(mail));
        expect([state, hits, provider.posts]).toEqual(['threw', 0, 0]);
        expect(codeOf(error)).toBe('SENDONCE_PROVIDER');
        expect(String(error)).not.toMatch(/secret\.txt|127\.0\.0\.1/);
        expect(await recordState(job)).toBe('absent');
      }
    });
  });

  it('with access, and for a data URL without it, the content is sent', async (test) => {
    const { provider, transporter } = await setUpPlace(test, major, {});
    const send = (mail: object) => transporter.sendMail(email(mail));
    await send({ html: { path } });
    await send({ html: { href } });
    await send({
      ...flags,
      html: { path: `data:text/html,${encodeURIComponent('from a data URL')}` },
    });
    const bodies = provider.requests.map(({ raw }) => raw);
    expect(bodies).toEqual([
      expect.stringContaining(secret),
      expect.stringContaining(internal),
      expect.stringContaining('from a data URL'),
    ]);
  });

  it('a single attachment that is in no list is sent', async (test) => {
    const { provider, transporter } = await setUpPlace(test, major, {});
    await transporter.sendMail(
      email({ attachments: { filename: 'a.txt', content: 'abc' } as never }),
    );
    expect(provider.requests[0]?.body['attachments']).toMatchObject([{ content: 'YWJj' }]);
  });

  // nodemailer threw for these from a timer: it ended the process, or sendMail() never ended.
  it.for(malformed)('content that cannot be read is refused: %j', async (content, test) => {
    const { provider, transporter } = await setUpPlace(test, major, {});
    for (const field of ['html', 'attachments, one that is in no list', 'attachments']) {
      const job = newJob();
      const { state } = await attempt(job, () =>
        transporter.sendMail(email(fields[field]!(content))),
      );
      expect([state, provider.posts]).toEqual(['threw', 0]);
      expect(await recordState(job)).toBe('absent');
    }
  });

  it('one flag closes one kind', async (test) => {
    const { transporter } = await setUpPlace(test, major, {});
    const send = (mail: object) => transporter.sendMail(email(mail));
    await send({ disableUrlAccess: true, html: { path } });
    await send({ disableFileAccess: true, html: { href } });
    await expect(send({ disableFileAccess: true, html: { path } })).rejects.toMatchObject({
      mayHaveLeft: 'no',
    });
    await expect(send({ disableUrlAccess: true, html: { href } })).rejects.toMatchObject({
      mayHaveLeft: 'no',
    });
  });
});
